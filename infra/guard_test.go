package main

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/changeguard"
	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/infra/config"
)

// slowCloud is a cloud that creates the resources of some types slowly. It counts those that exist
// when the program registers the guard of the applied values.
type slowCloud struct {
	cloudmocks.Cloud
	slowTypes []string

	mutex            sync.Mutex
	created, atGuard map[string]int // by type
	guardRegistered  bool
}

func (c *slowCloud) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	isSlow := slices.Contains(c.slowTypes, args.TypeToken)
	if isSlow {
		time.Sleep(200 * time.Millisecond) // longer than the program itself
	}
	c.mutex.Lock()
	println(time.Now().UnixMilli()%100000, args.TypeToken, args.Name)
	defer c.mutex.Unlock()
	if isSlow {
		c.created[args.TypeToken]++
		if !c.guardRegistered {
			c.atGuard[args.TypeToken]++
		}
	}
	if args.TypeToken == changeguard.Token && args.Name == appliedGuard {
		c.guardRegistered = true
	}
	return c.Cloud.NewResource(args)
}

// The guard records a size of a volume or a database, and the version of the cluster, after AWS and
// Kubernetes have it. So a change that they refuse can be taken back.
func TestAppliedValuesAreRecordedAfterTheirResources(t *testing.T) {
	stack, err := config.Load("prod", readStackValues(t, "prod", nil))
	require.NoError(t, err)
	types := []string{"kubernetes:core/v1:PersistentVolumeClaim", "kubernetes:apps/v1:StatefulSet", "aws:rds/instance:Instance", "aws:eks/cluster:Cluster"}
	cloud := &slowCloud{Cloud: cloudmocks.Cloud{Region: stack.Region}, slowTypes: types, created: map[string]int{}, atGuard: map[string]int{}}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, stack) }, pulumi.WithMocks(config.Project, stack.Environment, cloud)))
	require.True(t, cloud.guardRegistered)
	for _, resourceType := range types {
		require.Positive(t, cloud.created[resourceType], resourceType)
	}
	require.Equal(t, cloud.created, cloud.atGuard)
	for _, r := range cloud.Registered() {
		if r.Type == changeguard.Token {
			require.Empty(t, r.Dependencies, "with a dependency, pulumi preview --target fails")
		}
	}
}
