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

// openAPI are the files of the services' OpenAPI documents.
var openAPI = []string{
	"../agents/web/internal/webapp/openapi.yaml", "../agents/mca/internal/coordination/openapi.yaml",
	"../agents/npa/internal/nutritionapi/openapi.yaml", "../agents/wpa/internal/trainingapi/openapi.yaml",
}

// servedPaths returns the paths of the front page and of every OpenAPI document.
func servedPaths(t *testing.T) []string {
	t.Helper()
	paths := []string{"/", "/index.html"}
	for _, file := range openAPI {
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

// stackOf returns the registered resources in the form of package tracer.
func stackOf(all []registered) tracer.Stack {
	var s tracer.Stack
	for _, r := range all {
		s = append(s, r.Resource)
	}
	return s
}

// The resources of each stack on AWS send every path of every OpenAPI document to the
// service that package traffic names, on nodes that run it. Every target group gets
// requests, and every alarm watches a target group that gets requests.
func TestResourcesSendEveryPathToTheServiceOfPackageTraffic(t *testing.T) {
	names := map[string]string{}
	for _, p := range scaling.Services() {
		names[p.Short] = p.Name
	}
	for _, name := range []string{"staging", "prod"} {
		t.Run(name, func(t *testing.T) {
			s := stackOf(deployStack(t, name))
			paths := servedPaths(t)
			for _, path := range paths {
				want, err := traffic.Trace(path)
				require.NoError(t, err)
				way, err := s.Trace(path, scaling.NodeLabel)
				require.NoError(t, err)
				require.Equal(t, want.Static, way.Static, path)
				require.Equal(t, want.Behaviour, way.Behaviour, path)
				require.Equal(t, want.Rule, way.Rule, path)
				require.Equal(t, string(want.Tier), way.Tier, path)
				require.Equal(t, names[want.Entry], way.Deployment, path)
			}
			idle, err := s.Idle(paths, scaling.NodeLabel)
			require.NoError(t, err)
			require.Empty(t, idle)
		})
	}
}
