package podrules

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write testdata/spec.yaml")

// sandbox/admission evaluates the rules of this file with Kubernetes' own code.
func TestSpecEqualsTheFileThatSandboxAdmissionEvaluates(t *testing.T) {
	const file = "testdata/spec.yaml"
	spec, err := Spec(Allowed{
		Images:        []string{"registry.example.com/platform/", "registry.example.com/debian/redis@"},
		TokenAccounts: []string{"prometheus"},
	})
	require.NoError(t, err)
	encoded, err := yaml.Marshal(spec)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, encoded, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(encoded), "%s is stale: go test ./components/admissionpolicy/podrules -update", file)
}

func TestSpecRefusesPrefixesThatAdmitOtherRepositories(t *testing.T) {
	for _, tc := range []struct {
		reason, image string
		accepted      bool
	}{
		{"all repositories of the stack", "registry.example.com/platform/", true},
		{"one repository", "registry.example.com/debian/postgres@", true},
		{"also admits registry.example.com/platform-of-others", "registry.example.com/platform", false},
		{"also admits registry.example.com.attacker.example", "registry.example.com", false},
		{"admits no image", "/", false},
		{"admits every image", "", false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Spec(Allowed{Images: []string{"registry.example.com/known/", tc.image}})
			if tc.accepted {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "must end in /")
		})
	}
}

// Each kind of container can run any program. So each rule for containers must read all
// three kinds.
func TestRulesReadEveryKindOfContainer(t *testing.T) {
	var containerRules int
	for _, r := range rules(Allowed{Images: []string{"registry.example.com/platform/"}}) {
		if !strings.Contains(r.violatorsExpression, "containers") {
			continue
		}
		containerRules++
		for _, kind := range []string{"containers", "initContainers", "ephemeralContainers"} {
			require.Equal(t, 1, strings.Count(r.violatorsExpression, "spec.?"+kind+"."), "%s of %s", kind, r.id)
		}
	}
	require.Equal(t, 3, containerRules)
}

// A configured text can contain a quotation mark. The mark must not end the string in the CEL
// expression.
func TestConfiguredTextsAreQuotedInCEL(t *testing.T) {
	require.Contains(t, rules(Allowed{Images: []string{`registry/" == "" || true || "/`}})[0].violatorsExpression, `["registry/\" == \"\" || true || \"/"].exists(`)
}
