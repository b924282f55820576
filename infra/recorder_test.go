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

// A run of the program allocates much and keeps little, so the collector would take a third of
// the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// registered is one resource of the whole program.
type registered struct {
	tracer.Resource
	URN string
	// Before are the URNs of the resources that must exist first: the dependencies and the parent.
	Before []string
}

// deployStack runs the whole program for a stack of the project, with its own YAML file, and
// returns all resources that it registers. Pulumi's engine does not run.
func deployStack(t *testing.T, stack string) []registered {
	t.Helper()
	return deployStackWith(t, stack, nil)
}

// deployments caches the results of deployStackWith. A run of the program takes a tenth of a
// second, and many tests read the same one.
var deployments = map[string][]registered{}

// deployStackWith runs the whole program for a stack, with other values for some full keys of its
// YAML file, and returns all resources that it registers.
func deployStackWith(t *testing.T, stack string, changes map[string]string) []registered {
	t.Helper()
	id := fmt.Sprint(stack, changes) // maps are printed in the order of their keys
	if known, ok := deployments[id]; ok {
		return known
	}
	loaded, err := config.Load(stack, valuesWith(t, stack, changes))
	require.NoError(t, err)
	all, err := deployMocked(t, loaded)
	require.NoError(t, err)
	var program []registered
	for _, r := range all {
		program = append(program, registered{
			Resource: tracer.Resource{Type: r.Type, ID: r.ID, Properties: properties(t, r.Outputs)},
			URN:      r.URN,
			Before:   append(slices.Clone(r.Dependencies), r.Parent),
		})
	}
	deployments[id] = program
	return program
}

// valuesWith returns the configuration in a stack's file, with other values for some full keys.
func valuesWith(t *testing.T, stack string, changes map[string]string) map[string]string {
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

// properties returns the outputs of a resource in the form of a state file.
func properties(t *testing.T, outputs resource.PropertyMap) map[string]any {
	t.Helper()
	marshaled, err := plugin.MarshalProperties(outputs, plugin.MarshalOptions{KeepUnknowns: true})
	require.NoError(t, err)
	return marshaled.AsMap()
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
