package deployer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/deployer/authorization"
)

var update = flag.Bool("update", false, "write docs/deploy-policy and docs/ci-roles anew")

// folders are the folders of generated policy documents, each with the function that generates
// them.
var folders = map[string]func() (map[string][]byte, error){
	"../../docs/deploy-policy": PolicyDocuments,
	"../../docs/ci-roles":      CIPolicyDocuments,
}

// Each folder has a file for each document, and no other.
func TestDocumentsAreCurrent(t *testing.T) {
	for folder, generate := range folders {
		documents, err := generate()
		require.NoError(t, err)
		if *update {
			require.NoError(t, os.RemoveAll(folder))
			require.NoError(t, os.MkdirAll(folder, 0o750))
			for name, document := range documents {
				require.NoError(t, os.WriteFile(path.Join(folder, name+".json"), document, 0o600))
			}
		}
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		require.Len(t, files, len(documents), "run make generate")
		for name, document := range documents {
			current, err := os.ReadFile(path.Join(folder, name+".json"))
			require.NoError(t, err)
			require.Equal(t, string(document), string(current), "%s is stale: run make generate", name)
		}
	}
}

// readRecordedTypes returns the AWS resource types in the recorded previews of the stacks, each
// with the names of its resources.
func readRecordedTypes(t *testing.T) map[string][]string {
	t.Helper()
	namesByType := map[string][]string{}
	for _, stack := range []string{"prod", "staging"} {
		file, err := os.Open("../../policy/testdata/" + stack + ".jsonl")
		require.NoError(t, err)
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var resource struct {
				URN    string         `json:"urn"`
				Inputs map[string]any `json:"inputs"`
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &resource))
			token := strings.Split(resource.URN, "::")[2]
			token = token[strings.LastIndex(token, "$")+1:]
			if !strings.HasPrefix(token, "aws:") {
				continue
			}
			namesByType[token] = append(namesByType[token], "") // keeps a type without named resources
			for _, property := range []string{"name", "bucket", "identifier", "clusterIdentifier", "replicationGroupId", "clusterName"} {
				if name, ok := resource.Inputs[property].(string); ok {
					namesByType[token] = append(namesByType[token], strings.Replace(name, "-"+stack, "-ENVIRONMENT", 1))
					break
				}
			}
		}
		require.NoError(t, lines.Err())
	}
	return namesByType
}

func TestEveryTypeOfTheStacksHasARow(t *testing.T) {
	recorded := readRecordedTypes(t)
	require.Greater(t, len(recorded), 60)
	for token := range recorded {
		require.Contains(t, Types(), token, "add the type to types.go, with the actions of its file in terraform-provider-aws")
	}
}

// The ARN patterns in the deployer's policy match the names of all resources of the stacks.
func TestARNPatternsMatchTheNamesOfTheStacks(t *testing.T) {
	// The ARNs on which the actions of these types are allowed do not contain the resource's own
	// name.
	typesWithOtherARNs := []string{
		"aws:autoscaling/lifecycleHook:LifecycleHook", "aws:autoscaling/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:route53/record:Record",
	}
	checked := 0
	for token, names := range readRecordedTypes(t) {
		for _, g := range grantsByType[token] {
			if g.scope != named || slices.Contains(typesWithOtherARNs, token) || !strings.Contains(token, ":"+serviceModule(g.service)+"/") {
				continue
			}
			for _, name := range names {
				if name == "" {
					continue
				}
				checked++
				require.True(t, slices.ContainsFunc(resourceARNs[g.service], func(arn string) bool { return arnCanEndWith(arn, name) }),
					"%s %q is in none of %q", token, name, resourceARNs[g.service])
			}
		}
	}
	require.Greater(t, checked, 80)
}

// serviceModule returns the module in which Pulumi has the types of a service.
func serviceModule(service string) string {
	if service == "elasticloadbalancing" {
		return "lb"
	}
	if service == "logs" {
		return "cloudwatch"
	}
	return service
}

// arnCanEndWith reports whether an ARN that matches the pattern can have a name as its last part,
// or as the part before an id. It tries the texts that AWS writes before and after a name.
func arnCanEndWith(pattern, name string) bool {
	expression := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `[^ ]*`)
	arnPattern := regexp.MustCompile("^" + expression + "$")
	arnParts := strings.SplitAfterN(strings.ReplaceAll(pattern, "*", "x"), ":", 6)
	prefix := strings.Join(arnParts[:5], "")
	for _, textBefore := range []string{"", "x/", "x:", "repository/", "role/", "instance-profile/", "secret:", "log-group:", "alarm:", "x/app/", "targetgroup/", "autoScalingGroup:x:autoScalingGroupName/", "x/webacl/", "alias/"} {
		for _, textAfter := range []string{"", "/x"} {
			if arnPattern.MatchString(prefix + textBefore + strings.TrimPrefix(name, "alias/") + textAfter) {
				return true
			}
		}
	}
	return false
}

// Each policy is within IAM's limits and allows no whole service. It allows no deletion of another
// stack's resources, except of types that have neither the stack's name in their ARNs nor tags.
func TestPoliciesFitIAM(t *testing.T) {
	documents, err := PolicyDocuments()
	require.NoError(t, err)
	require.LessOrEqual(t, len(documents), MaxPolicies)
	actionName := regexp.MustCompile(`^[a-z0-9-]+:([A-Za-z0-9]+|(Describe|Get|GetBucket|GetObject)\*)$`)
	deleteAction := regexp.MustCompile(`:(Delete|Terminate|Release|Schedule)`)
	// Deletions of resources that have neither the stack's name in their ARNs nor tags.
	unscopedDeletes := []string{
		"logs:DeleteLogDelivery", "cloudfront:DeleteCachePolicy", "cloudfront:DeleteOriginAccessControl", "cloudfront:DeleteResponseHeadersPolicy", "cloudfront:DeleteVpcOrigin",
	}
	allowed := map[string]bool{}
	for name, document := range documents {
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, document))
		require.LessOrEqual(t, compact.Len(), MaxPolicy, name)
		t.Logf("%s: %d characters", name, compact.Len())
		var parsed policy
		require.NoError(t, json.Unmarshal(document, &parsed))
		sids := map[string]bool{}
		for _, s := range parsed.Statement {
			require.Regexp(t, `^[A-Za-z0-9]+$`, s.Sid)
			require.False(t, sids[s.Sid], "%s is twice in %s", s.Sid, name)
			sids[s.Sid] = true
			require.NotEmpty(t, s.Resource)
			for _, a := range s.Action {
				require.Regexp(t, actionName, a)
				allowed[a] = true
				if slices.Contains(s.Resource, "*") && s.Condition == nil {
					require.False(t, deleteAction.MatchString(a) && !slices.Contains(unscopedDeletes, a), "%s deletes what another stack has", a)
				}
			}
		}
	}
	for token, grants := range grantsByType {
		for _, g := range grants {
			for _, a := range g.actions {
				require.True(t, allowed[g.service+":"+a], "%s of %s is in no policy: add the service to policyServices", a, token)
			}
			if g.scope == named {
				require.NotEmpty(t, resourceARNs[g.service], "%s of %s has no ARN", g.service, token)
			}
		}
	}
}

// Each action of the documents exists at AWS. The resources and condition keys of a statement
// do not prevent its actions.
func TestStatementsCanAllowTheirActions(t *testing.T) {
	reference, err := authorization.Load()
	require.NoError(t, err)
	for folder, generate := range folders {
		documents, err := generate()
		require.NoError(t, err)
		for name, document := range documents {
			require.NoError(t, reference.Check(document), "%s/%s", folder, name)
		}
	}
}
