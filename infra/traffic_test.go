package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/components/traffic/tracer"
)

// openAPIFiles are the files of the services' OpenAPI documents.
var openAPIFiles = []string{
	"../agents/web/internal/webapp/openapi.yaml", "../agents/mca/internal/coordination/openapi.yaml",
	"../agents/npa/internal/nutritionapi/openapi.yaml", "../agents/wpa/internal/trainingapi/openapi.yaml",
}

// readServedPaths returns the paths of the front page and of every OpenAPI document.
func readServedPaths(t *testing.T) []string {
	t.Helper()
	paths := []string{"/", "/index.html"}
	for _, file := range openAPIFiles {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var document struct{ Paths map[string]any }
		require.NoError(t, yaml.Unmarshal(raw, &document))
		require.NotEmpty(t, document.Paths, file)
		for path := range document.Paths {
			paths = append(paths, path)
		}
	}
	return paths
}

// toTracerStack returns the registered resources in the form of package tracer.
func toTracerStack(resources []registeredResource) tracer.Stack {
	var s tracer.Stack
	for _, r := range resources {
		s = append(s, r.Resource)
	}
	return s
}

// The resources of each stack on AWS send every path of every OpenAPI document to the service that
// package traffic names. The requests go to nodes that run the service. Every target group gets
// requests, and every alarm watches a target group that gets requests.
func TestResourcesSendEveryPathToTheServiceOfPackageTraffic(t *testing.T) {
	names := map[string]string{}
	for _, p := range scaling.Services() {
		names[p.ShortName] = p.Name
	}
	for _, name := range []string{"staging", "prod"} {
		t.Run(name, func(t *testing.T) {
			s := toTracerStack(deployStack(t, name))
			paths := readServedPaths(t)
			for _, path := range paths {
				want, err := traffic.Trace(path)
				require.NoError(t, err)
				route, err := s.Trace(path, scaling.NodeLabel)
				require.NoError(t, err)
				require.Equal(t, want.Static, route.Static, path)
				require.Equal(t, want.Behaviour, route.Behaviour, path)
				require.Equal(t, want.Rule, route.Rule, path)
				require.Equal(t, string(want.Tier), route.Tier, path)
				require.Equal(t, names[want.Entry], route.Deployment, path)
			}
			idle, err := s.FindIdle(paths, scaling.NodeLabel)
			require.NoError(t, err)
			require.Empty(t, idle)
		})
	}
}
