package scaling

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The files in testdata are copies of blocks of the design document, which
// TestFilesAreBlocksOfTheDesignDocument checks. The other tests compare every number in
// them with the package.

type object = map[string]any

// readDocuments reads the YAML documents of a file in testdata.
func readDocuments(t *testing.T, file string) []object {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	require.NoError(t, err)
	defer f.Close()
	var all []object
	for d := yaml.NewDecoder(f); ; {
		var o object
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, o)
	}
}

// valueAt returns the value at a path of keys and indices, or nil.
func valueAt(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// documentsByName reads the YAML documents of a file, by the name at path in each of them.
func documentsByName(t *testing.T, file string, path ...any) map[string]object {
	t.Helper()
	objects := map[string]object{}
	for _, d := range readDocuments(t, file) {
		name, _ := valueAt(d, path...).(string)
		objects[name] = d
	}
	return objects
}

// toDuration converts a number of seconds of the design document to a duration.
func toDuration(v any) time.Duration {
	n, _ := v.(int)
	return time.Duration(n) * time.Second
}

// fencedBlock matches a fenced code block of the design document.
var fencedBlock = regexp.MustCompile("(?ms)^```[a-z]+\n(.*?)^```$")

// A copy that differs from the document would let the other tests pass with wrong numbers.
func TestFilesAreBlocksOfTheDesignDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/design-document.md")
	require.NoError(t, err)
	blocks := map[string]bool{}
	for _, m := range fencedBlock.FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = true
	}
	files, err := os.ReadDir("testdata")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		copied, err := os.ReadFile("testdata/" + f.Name())
		require.NoError(t, err)
		require.True(t, blocks[string(copied)], "testdata/%s is not a block of docs/design-document.md: copy the whole block again", f.Name())
	}
}

func TestThresholdsMatchTheDesignDocument(t *testing.T) {
	thresholds := valueAt(readDocuments(t, "thresholds.yaml")[0], "scaling_metrics")
	percent := func(path ...any) Percent {
		n, err := strconv.Atoi(strings.TrimSuffix(valueAt(thresholds, path...).(string), "%"))
		require.NoError(t, err)
		return Percent(n)
	}
	duration := func(path ...any) time.Duration {
		d, err := time.ParseDuration(valueAt(thresholds, path...).(string))
		require.NoError(t, err)
		return d
	}
	require.Equal(t, Thresholds{
		Web: WebThresholds{
			CPU: percent("web_tier", "cpu_threshold"), Memory: percent("web_tier", "memory_threshold"),
			ResponseTime:         duration("web_tier", "response_time_threshold"),
			ErrorRate:            percent("web_tier", "error_rate_threshold"),
			RequestsPerSecondMax: valueAt(thresholds, "web_tier", "requests_per_second_max").(int),
		},
		Application: ApplicationThresholds{
			CPU: percent("application_tier", "cpu_threshold"), Memory: percent("application_tier", "memory_threshold"),
			AgentCoordination:       duration("application_tier", "agent_coordination_latency"),
			ConcurrentAgentSessions: valueAt(thresholds, "application_tier", "concurrent_agent_sessions").(int),
			QueueDepth:              valueAt(thresholds, "application_tier", "queue_depth_max").(int),
		},
		Database: DatabaseThresholds{
			CPU: percent("database_tier", "cpu_threshold"), Memory: percent("database_tier", "memory_threshold"),
			ConnectionPool: percent("database_tier", "connection_pool_utilization"),
			DiskIO:         percent("database_tier", "disk_io_threshold"),
			QueryTime:      duration("database_tier", "query_response_time"),
		},
		Agents: AgentThresholds{
			MCACoordination: duration("agent_specific", "mca_coordination_latency"),
			NPACalculation:  duration("agent_specific", "npa_calculation_time"),
			WPAGeneration:   duration("agent_specific", "wpa_generation_time"),
			InterAgent:      duration("agent_specific", "inter_agent_communication"),
		},
	}, DesignThresholds())
}

func TestHPAsMatchTheDesignDocument(t *testing.T) {
	specs := documentsByName(t, "hpa.yaml", "spec", "scaleTargetRef", "name")
	require.Len(t, specs, len(Services()))
	for _, p := range Services() {
		t.Run(p.Name, func(t *testing.T) {
			d := specs[p.Name]
			require.Equal(t, valueAt(d, "metadata", "name"), p.HPA.Name)
			require.Equal(t, valueAt(d, "spec", "minReplicas"), p.HPA.MinReplicas)
			require.Equal(t, valueAt(d, "spec", "maxReplicas"), p.HPA.MaxReplicas)
			metrics := valueAt(d, "spec", "metrics").([]any)
			require.Len(t, p.HPA.Metrics, len(metrics))
			for i, m := range metrics {
				switch actual := p.HPA.Metrics[i].(type) {
				case ResourceMetric:
					require.Equal(t, valueAt(m, "resource", "name"), string(actual.Resource))
					require.Equal(t, valueAt(m, "resource", "target", "averageUtilization"), int(actual.Utilization))
				case PodsMetric:
					require.Equal(t, valueAt(m, "pods", "metric", "name"), actual.Name)
					requireQuantity(t, valueAt(m, "pods", "target", "averageValue"), actual.AverageValue)
				}
			}
			requireBehavior(t, valueAt(d, "spec", "behavior", "scaleDown"), p.HPA.ScaleDown)
			requireBehavior(t, valueAt(d, "spec", "behavior", "scaleUp"), p.HPA.ScaleUp)
		})
	}
}

// requireBehavior requires that an HPA's behaviour equals the behaviour in the design document.
func requireBehavior(t *testing.T, want any, actual *Behavior) {
	t.Helper()
	if want == nil {
		require.Nil(t, actual)
		return
	}
	b := Behavior{StabilizationWindow: toDuration(valueAt(want, "stabilizationWindowSeconds"))}
	if s, ok := valueAt(want, "selectPolicy").(string); ok {
		b.Select = Select(s)
	}
	for _, p := range valueAt(want, "policies").([]any) {
		b.Policies = append(b.Policies, Policy{PolicyType(valueAt(p, "type").(string)), valueAt(p, "value").(int), toDuration(valueAt(p, "periodSeconds"))})
	}
	require.Equal(t, &b, actual)
}

// requireQuantity requires that a quantity equals the quantity in the design document.
func requireQuantity(t *testing.T, want any, actual resource.Quantity) {
	t.Helper()
	text, ok := want.(string)
	require.True(t, ok, "the design document has no quantity here")
	require.Zero(t, actual.Cmp(resource.MustParse(text)), "actual %s, the design document has %s", actual.String(), text)
}

func TestServicesMatchTheDesignDocument(t *testing.T) {
	specs := documentsByName(t, "resources.yaml", "metadata", "name")
	require.Len(t, specs, len(Services()))
	for _, p := range Services() {
		t.Run(p.Name, func(t *testing.T) {
			spec := valueAt(specs[p.Name], "spec")
			c := valueAt(spec, "template", "spec", "containers", 0)
			tier, _ := valueAt(spec, "selector", "matchLabels", "tier").(string)
			require.Equal(t, tier, p.Tier)
			require.Equal(t, valueAt(spec, "replicas"), p.Floor)
			require.Equal(t, valueAt(c, "ports", 0, "containerPort"), p.Port)
			requireQuantity(t, valueAt(c, "resources", "requests", "cpu"), p.Resources.CPURequest)
			requireQuantity(t, valueAt(c, "resources", "requests", "memory"), p.Resources.MemoryRequest)
			requireQuantity(t, valueAt(c, "resources", "limits", "cpu"), p.Resources.CPULimit)
			requireQuantity(t, valueAt(c, "resources", "limits", "memory"), p.Resources.MemoryLimit)
			require.Equal(t, parseProbe(valueAt(c, "livenessProbe")), p.Liveness)
			require.Equal(t, parseProbe(valueAt(c, "readinessProbe")), p.Readiness)
			require.Equal(t, toDuration(valueAt(c, "readinessProbe", "initialDelaySeconds"))+3*toDuration(valueAt(c, "readinessProbe", "periodSeconds")),
				time.Duration(p.Startup().Failures)*p.Startup().Period, "a start may take as long as in the design document")

			var env []EnvVar
			for _, v := range valueAt(c, "env").([]any) {
				e := EnvVar{Name: valueAt(v, "name").(string)}
				e.Value, _ = valueAt(v, "value").(string)
				e.Resource, _ = valueAt(v, "valueFrom", "resourceFieldRef", "resource").(string)
				if e.Name != "NODE_ENV" { // for Node.js; our services are Go
					env = append(env, e)
				}
			}
			require.Equal(t, env, p.Env)

			for i, cache := range p.Caches {
				require.Equal(t, valueAt(c, "volumeMounts", i, "name"), cache.Name)
				require.Equal(t, valueAt(c, "volumeMounts", i, "mountPath"), cache.MountPath)
				requireQuantity(t, valueAt(spec, "template", "spec", "volumes", i, "emptyDir", "sizeLimit"), cache.SizeLimit)
			}
			require.Nil(t, valueAt(c, "volumeMounts", len(p.Caches)), "every volume of the design document is a cache")
		})
	}
}

// parseProbe converts a probe of the design document to a Probe.
func parseProbe(probe any) Probe {
	p := Probe{
		Path:         valueAt(probe, "httpGet", "path").(string),
		InitialDelay: toDuration(valueAt(probe, "initialDelaySeconds")),
		Period:       toDuration(valueAt(probe, "periodSeconds")),
		Timeout:      time.Second,
	}
	if d := toDuration(valueAt(probe, "timeoutSeconds")); d != 0 {
		p.Timeout = d
	}
	return p
}

// The VPAs equal the VPAs of the design document, without the resources that their HPAs scale on.
func TestVPAsMatchTheDesignDocument(t *testing.T) {
	specs := documentsByName(t, "vpa.yaml", "spec", "targetRef", "name")
	require.Len(t, specs, len(Services()))
	for _, p := range Services() {
		t.Run(p.Name, func(t *testing.T) {
			d := specs[p.Name]
			policy := valueAt(d, "spec", "resourcePolicy", "containerPolicies", 0)
			values, _ := valueAt(policy, "controlledValues").(string)
			document := VPA{
				Name:   valueAt(d, "metadata", "name").(string),
				Mode:   UpdateMode(valueAt(d, "spec", "updatePolicy", "updateMode").(string)),
				Values: ControlledValues(values),
			}
			for _, name := range valueAt(policy, "controlledResources").([]any) {
				r := ResourceName(name.(string))
				document.Controls = append(document.Controls, r)
				requireQuantity(t, valueAt(policy, "minAllowed", name), p.VPA.Bounds[r].Min)
				requireQuantity(t, valueAt(policy, "maxAllowed", name), p.VPA.Bounds[r].Max)
			}
			document.Bounds = p.VPA.Bounds
			if document.Mode == UpdateAuto {
				require.Error(t, CheckConflict(p.HPA, document), "the design document's HPA and VPA conflict")
			}
			require.Equal(t, document.WithoutConflict(p.HPA), p.VPA)
		})
	}
}
