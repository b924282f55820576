package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

// kubeconfig is one with two contexts.
func kubeconfig(server string) string {
	return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "one",
"clusters": [{"name": "c1", "cluster": {"server": %q}}, {"name": "c2", "cluster": {"server": "https://127.0.0.1:2"}}],
"contexts": [{"name": "one", "context": {"cluster": "c1", "user": "u", "namespace": "shop"}}, {"name": "two", "context": {"cluster": "c2", "user": "u"}}],
"users": [{"name": "u", "user": {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": ["eks", "get-token"], "interactiveMode": "Never"}}}]}`, server)
}

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		reason   string
		settings fields
		check    func(*testing.T, config)
		wrong    string // property and reason
	}{
		{reason: "flags come as text, which is how Pulumi passes them", settings: fields{"enableSecretMutable": "true", "enablePatchForce": true},
			check: func(t *testing.T, c config) { require.True(t, c.MutableSecrets && c.PatchForce) }},
		{reason: "the client's settings come as JSON", settings: fields{"kubeClientSettings": `{"qps": 5, "burst": 10, "timeout": 60}`},
			check: func(t *testing.T, c config) {
				require.Equal(t, config{QPS: 5, Burst: 10, Timeout: time.Minute}, c)
			}},
		{reason: "what the engine adds is not the program's", settings: fields{"version": "4.30.0", "__internal": fields{}},
			check: func(t *testing.T, c config) { require.Equal(t, float32(defaultQPS), c.QPS) }},
		{reason: "a value that a preview does not know is not judged", settings: fields{"kubeconfig": unknown{}},
			check: func(t *testing.T, c config) { require.Empty(t, c.Kubeconfig) }},
		{reason: "a kubeconfig that was given as an object", settings: fields{"kubeconfig": fields{"clusters": []any{fields{"name": "c", "cluster": fields{"server": "http://h"}}},
			"contexts": []any{fields{"name": "x", "context": fields{"cluster": "c"}}}, "current-context": "x"}},
			check: func(t *testing.T, c config) { require.Equal(t, "http://h", c.server()) }},
		{reason: "a misspelt setting", settings: fields{"kubeConfig": "x"}, wrong: "kubeConfig is no setting"},
		{reason: "client-side apply", settings: fields{"enableServerSideApply": "false"}, wrong: "enableServerSideApply client-side apply is not in the stand-in"},
		{reason: "rendering", settings: fields{"renderYamlToDirectory": "out"}, wrong: "renderYamlToDirectory rendering YAML is not in the stand-in"},
		{reason: "a refused flag that is off asks for nothing", settings: fields{"skipUpdateUnreachable": "false"},
			check: func(t *testing.T, c config) { require.False(t, c.DeleteUnreachable) }},
		{reason: "no flag", settings: fields{"deleteUnreachable": "perhaps"}, wrong: "deleteUnreachable must be true or false, not perhaps"},
		{reason: "an unknown setting of the client", settings: fields{"kubeClientSettings": fields{"speed": 1}}, wrong: "kubeClientSettings speed is unknown; known are burst, qps, timeout"},
		{reason: "no kubeconfig", settings: fields{"kubeconfig": "a: [\nb"}, wrong: "kubeconfig is no kubeconfig"},
		{reason: "a kubeconfig without a cluster", settings: fields{"kubeconfig": "{}"}, wrong: "kubeconfig is no kubeconfig: it names no cluster"},
		{reason: "no file", settings: fields{"kubeconfig": "no/such/file"}, wrong: "kubeconfig is neither the text of a kubeconfig nor the path of one: no file no/such/file"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			settings := unwrap(tc.settings, nil, newSecrets()).(fields)
			c, wrong := parseConfig(settings)
			if tc.wrong != "" {
				require.Len(t, wrong, 1)
				require.Contains(t, wrong[0].Property+" "+wrong[0].Reason, tc.wrong)
				return
			}
			require.Empty(t, wrong)
			tc.check(t, c)
		})
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	s := unconfigured(t)
	got, err := s.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: bag(t, fields{"kubeconfig": "{}", "colour": "red", "alwaysRender": "true"})})
	require.NoError(t, err)
	require.Len(t, got.GetFailures(), 3)
}

func TestConnection(t *testing.T) {
	text := kubeconfig("https://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	for _, tc := range []struct {
		reason            string
		config            config
		server, namespace string
	}{
		{"the text of a kubeconfig", config{Kubeconfig: text}, "https://127.0.0.1:1", "shop"},
		{"the path of one", config{Kubeconfig: file}, "https://127.0.0.1:1", "shop"},
		{"another context", config{Kubeconfig: text, Context: "two"}, "https://127.0.0.1:2", "default"},
		{"another cluster", config{Kubeconfig: text, Cluster: "c2"}, "https://127.0.0.1:2", "shop"},
		{"a namespace of the provider's", config{Kubeconfig: text, Namespace: "mine"}, "https://127.0.0.1:1", "mine"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			cfg, namespace, err := tc.config.connection()
			require.NoError(t, err)
			require.Equal(t, tc.server, cfg.Host)
			require.Equal(t, tc.namespace, namespace)
			require.Equal(t, "aws", cfg.ExecProvider.Command)
		})
	}
	_, _, err := config{Kubeconfig: text, Context: "three"}.connection()
	require.ErrorContains(t, err, `"three"`)
}

func TestWhichChangesReplaceTheProvider(t *testing.T) {
	one, moved := kubeconfig("http://127.0.0.1:1"), kubeconfig("http://127.0.0.1:9")
	for _, tc := range []struct {
		reason        string
		before, after fields
		changes       pulumirpc.DiffResponse_DiffChanges
		replaces      []string
	}{
		{"nothing changed", fields{"kubeconfig": one}, fields{"kubeconfig": one}, pulumirpc.DiffResponse_DIFF_NONE, nil},
		{"new credentials for the same cluster", fields{"kubeconfig": one}, fields{"kubeconfig": one + " "}, pulumirpc.DiffResponse_DIFF_SOME, nil},
		{"another server", fields{"kubeconfig": one}, fields{"kubeconfig": moved}, pulumirpc.DiffResponse_DIFF_SOME, []string{"kubeconfig"}},
		{"another context with another cluster", fields{"kubeconfig": one}, fields{"kubeconfig": one, "context": "two"}, pulumirpc.DiffResponse_DIFF_SOME, []string{"context"}},
		{"a kubeconfig that is not known yet may lead to the same", fields{"kubeconfig": one}, fields{"kubeconfig": unknown{}}, pulumirpc.DiffResponse_DIFF_SOME, nil},
		{"the user says that it is the same", fields{"kubeconfig": one, "clusterIdentifier": "a"}, fields{"kubeconfig": moved, "clusterIdentifier": "a"}, pulumirpc.DiffResponse_DIFF_SOME, nil},
		{"the user says that it is another", fields{"kubeconfig": one, "clusterIdentifier": "a"}, fields{"kubeconfig": one, "clusterIdentifier": "b"}, pulumirpc.DiffResponse_DIFF_SOME, []string{"clusterIdentifier"}},
		{"a flag", fields{"kubeconfig": one}, fields{"kubeconfig": one, "deleteUnreachable": "true"}, pulumirpc.DiffResponse_DIFF_SOME, nil},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			got, err := unconfigured(t).DiffConfig(t.Context(), &pulumirpc.DiffRequest{OldInputs: bag(t, tc.before), News: bag(t, tc.after)})
			require.NoError(t, err)
			require.Equal(t, tc.changes, got.GetChanges())
			require.Equal(t, tc.replaces, got.GetReplaces())
		})
	}
}
