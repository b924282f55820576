package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/traffic/tracer"
	"github.com/progressive-framework/platform/infra/config"
)

// A run of the program allocates much memory and keeps little of it. With Go's default of 100 %,
// garbage collection would take a third of the time of the tests.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// registeredResource is one resource of the whole program.
type registeredResource struct {
	tracer.Resource
	URN string
	// Dependencies are the URNs of the resources that must exist first: the dependencies in Pulumi
	// and the parent.
	Dependencies []string
}

// deployStack runs the whole program for a stack of the project, with its own YAML file, and
// returns all resources that it registers. Pulumi's engine does not run.
func deployStack(t *testing.T, stack string) []registeredResource {
	t.Helper()
	return deployStackWith(t, stack, nil)
}

// deployments caches the results of deployStackWith. A run of the program takes a tenth of a
// second, and many tests read the same one.
var deployments = map[string][]registeredResource{}

// deployStackWith is deployStack with changed configuration values. changes has the values by full
// key, such as progressive-framework:images.
func deployStackWith(t *testing.T, stack string, changes map[string]string) []registeredResource {
	t.Helper()
	cacheKey := fmt.Sprint(stack, changes) // maps are printed in the order of their keys
	if cached, ok := deployments[cacheKey]; ok {
		return cached
	}
	loaded, err := config.Load(stack, readStackValues(t, stack, changes))
	require.NoError(t, err)
	registrations, err := deployMocked(t, loaded)
	require.NoError(t, err)
	var resources []registeredResource
	for _, r := range registrations {
		resources = append(resources, registeredResource{
			Resource:     tracer.Resource{Type: r.Type, ID: r.ID, Properties: marshalProperties(t, r.Outputs)},
			URN:          r.URN,
			Dependencies: append(slices.Clone(r.Dependencies), r.Parent),
		})
	}
	deployments[cacheKey] = resources
	return resources
}

// readStackValues returns the configuration in a stack's file. changes replaces the values of some
// full keys.
func readStackValues(t *testing.T, stack string, changes map[string]string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../Pulumi." + stack + ".yaml")
	require.NoError(t, err)
	var file struct{ Config map[string]any }
	require.NoError(t, yaml.Unmarshal(raw, &file))
	values := map[string]string{}
	for key, value := range file.Config {
		if text, ok := value.(string); ok {
			values[key] = text
			continue
		}
		encoded, err := json.Marshal(value)
		require.NoError(t, err)
		values[key] = string(encoded)
	}
	maps.Copy(values, changes)
	return values
}

// marshalProperties returns the outputs of a resource in the form of a state file.
func marshalProperties(t *testing.T, outputs resource.PropertyMap) map[string]any {
	t.Helper()
	properties, err := plugin.MarshalProperties(outputs, plugin.MarshalOptions{KeepUnknowns: true})
	require.NoError(t, err)
	return properties.AsMap()
}

// deployMocked runs the program for a stack against mocks, and returns the resources that it
// registers.
func deployMocked(t testing.TB, stack *config.Stack) ([]cloudmocks.Registration, error) {
	t.Helper()
	return deployOnCloud(&cloudmocks.Cloud{Region: stack.Region}, stack)
}

// deployOnCloud runs the program for a stack against the mocks of cloud, which can have further
// responses of AWS. It returns the resources that the program registers.
func deployOnCloud(cloud *cloudmocks.Cloud, stack *config.Stack) ([]cloudmocks.Registration, error) {
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, stack) }, pulumi.WithMocks(config.Project, stack.Environment, cloud))
	return cloud.Registered(), err
}
