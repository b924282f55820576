package traffic

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/cdn/behaviour"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/scaling"
)

// documentFiles are the paths of the services' OpenAPI documents, by the service's short name.
var documentFiles = map[string]string{
	"web": "../../agents/web/internal/webapp/openapi.yaml",
	"mca": "../../agents/mca/internal/coordination/openapi.yaml",
	"npa": "../../agents/npa/internal/nutritionapi/openapi.yaml",
	"wpa": "../../agents/wpa/internal/trainingapi/openapi.yaml",
}

// internalPaths are the paths that users can't reach. The value is the reason.
var internalPaths = map[string]string{
	"/health":              "the kubelet probes it on the pod",
	"/health/ready":        "the kubelet and the target group probe it on the node",
	"/health/coordination": "the kubelet probes it on the pod",
}

// readPaths reads the paths of an OpenAPI document.
func readPaths(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var document struct {
		Paths map[string]any `json:"paths"`
	}
	require.NoError(t, yaml.Unmarshal(text, &document))
	require.NotEmpty(t, document.Paths, file)
	var paths []string
	for path := range document.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// Every path of an OpenAPI document reaches the service of that document. Users
// can't reach internalPaths: the CDN serves static files for them.
func TestEveryPathReachesItsService(t *testing.T) {
	require.Len(t, documentFiles, len(scaling.Services()), "every service has a document")
	for service, file := range documentFiles {
		for _, path := range readPaths(t, file) {
			t.Run(service+path, func(t *testing.T) {
				hops, err := Trace(path)
				require.NoError(t, err)
				if internalPaths[path] != "" {
					require.True(t, hops.Static, "%s: %s", path, internalPaths[path])
					return
				}
				require.False(t, hops.Static, "users do not reach %s", path)
				require.Equal(t, service, hops.Service)
			})
		}
	}
}

// The load balancer sends a request to a node with pods of the service that gets the request first.
func TestRequestsReachNodesThatRunTheService(t *testing.T) {
	for _, tc := range []struct {
		path, target, entry, service string
		tier                         scaling.TierName
	}{
		{"/ws", "web", "web", "web", scaling.WebTier},
		{"/api/v1/users/profile", "web", "web", "web", scaling.WebTier},
		{"/api/v1/agents/mca/coordinate", "agents", "mca", "mca", scaling.ApplicationTier},
		{"/api/v1/agents/npa/plan", "agents", "mca", "npa", scaling.ApplicationTier},
		{"/api/v1/agents/wpa/health", "agents", "mca", "wpa", scaling.ApplicationTier},
	} {
		hops, err := Trace(tc.path, "/api/v1/templates/*", "/api/v1/agents/*/status")
		require.NoError(t, err)
		require.Equal(t, tc.target, hops.Target, tc.path)
		require.Equal(t, tc.entry, hops.Entry, tc.path)
		require.Equal(t, tc.service, hops.Service, tc.path)
		require.Equal(t, tc.tier, hops.Tier, tc.path)
		require.Contains(t, TargetsOn(hops.Tier), hops.Target, "nodes of the tier join the group")
	}
}

func TestOtherPathsAreStatic(t *testing.T) {
	for _, path := range []string{"/", "/index.html", "/app.js", "/api", "/wsx", "/ws/x", "/metrics"} {
		hops, err := Trace(path)
		require.NoError(t, err)
		require.Equal(t, Hops{Static: true}, hops, path)
	}
}

// Every path that the CDN forwards has a rule, and every rule has a behaviour. So
// the load balancer refuses no request, and no target group is without traffic.
func TestBehavioursAndRulesHaveTheSamePaths(t *testing.T) {
	table, err := Behaviours()
	require.NoError(t, err)
	var behaviourPaths, rulePaths []string
	for _, b := range table.Rules {
		require.Equal(t, behaviour.Dynamic, b.Origin)
		behaviourPaths = append(behaviourPaths, b.Pattern)
	}
	rules, err := routing.Rules("prod", Targets())
	require.NoError(t, err)
	for _, r := range rules {
		rulePaths = append(rulePaths, r.Path)
	}
	require.ElementsMatch(t, behaviourPaths, rulePaths)
}

func TestEveryTargetGroupHasTraffic(t *testing.T) {
	reached := map[string]bool{}
	for _, r := range Routes() {
		for _, pattern := range r.Paths {
			hops, err := Trace(strings.ReplaceAll(pattern, "*", "x"))
			require.NoError(t, err)
			reached[hops.Target] = true
		}
	}
	for _, target := range Targets() {
		require.True(t, reached[target.Name], "no path leads to target group %s", target.Name)
		require.NotZero(t, target.NodePort, "%s: there is no port on the nodes", target.Name)
	}
}

// Each service has one target group, and forwards only to another service.
func TestServicesForwardToOtherServices(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes() {
		require.False(t, seen[r.Service.ShortName], "%s has two target groups", r.Service.ShortName)
		seen[r.Service.ShortName] = true
		for _, p := range r.Forwards {
			require.Contains(t, documentFiles, p.To)
			require.NotEqual(t, r.Service.ShortName, p.To)
		}
	}
}
