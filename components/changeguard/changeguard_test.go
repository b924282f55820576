package changeguard

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// slowMocks create every resource slowly, and count the created ones.
type slowMocks struct{ created atomic.Int32 }

func (m *slowMocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	time.Sleep(200 * time.Millisecond)
	m.created.Add(1)
	return args.Name, resource.PropertyMap{}, nil
}

func (*slowMocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

func TestAwaitAppliedReturnsAfterTheResourcesExist(t *testing.T) {
	mocks := &slowMocks{}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		var resources []pulumi.Resource
		for _, name := range []string{"one", "two"} {
			created := &pulumi.CustomResourceState{}
			if err := ctx.RegisterResource("test:index:Slow", name, pulumi.Map{}, created); err != nil {
				return err
			}
			resources = append(resources, created)
		}
		require.NoError(t, AwaitApplied(ctx, resources))
		require.EqualValues(t, len(resources), mocks.created.Load())
		return nil
	}, pulumi.WithMocks("project", "stack", mocks)))
}

func TestAwaitAppliedRefusesAComponent(t *testing.T) {
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		require.ErrorContains(t, AwaitApplied(ctx, []pulumi.Resource{&pulumi.ResourceState{}}), "must be a resource of a provider")
		return nil
	}, pulumi.WithMocks("project", "stack", &slowMocks{})))
}
