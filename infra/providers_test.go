package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/infra/deployer/authorization"
)

// An explicit provider does not read the keys aws:* of the stack's configuration. So the program must
// set them on each provider.
func TestProvidersGetTheStacksAWSConfiguration(t *testing.T) {
	stack, err := config.Load("prod", map[string]string{
		"aws:region":                        "eu-west-1",
		"aws:profile":                       "platform",
		"aws:assumeRole":                    `{"roleArn":"arn:aws:iam::123456789012:role/deployer"}`,
		"aws:defaultTags":                   `{"tags":{"CostCenter":"42"}}`,
		"aws:ignoreTags":                    `{"keyPrefixes":["audit:"]}`,
		"progressive-framework:environment": "prod",
		"progressive-framework:account":     "123456789012",
		"progressive-framework:network":     `{"cidr":"10.20.0.0/16","zones":["eu-west-1a","eu-west-1b"]}`,
		"progressive-framework:auth":        `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
		"progressive-framework:edge":        `{"domain":"example.com","zone":"example.com"}`,
		"progressive-framework:cluster":     `{"admins":["arn:aws:iam::123456789012:role/operators"],"publicAccessCidrs":["198.18.0.0/24"]}`,
		"progressive-framework:postgres":    `{"instanceClass":"db.r7g.xlarge"}`,
		"progressive-framework:redis":       `{"nodeType":"cache.r7g.large"}`,
		"progressive-framework:mongo":       `{"kind":"none"}`,
	})
	require.NoError(t, err)
	resources, err := deployMocked(t, stack)
	require.NoError(t, err)
	providers, images, groups, templates := 0, 0, 0, 0
	for _, r := range resources {
		switch r.Type {
		case "pulumi:providers:aws":
			providers++
			require.Equal(t, "platform", r.Inputs["profile"].StringValue())
			for key, want := range map[string]string{
				"allowedAccountIds": "123456789012", "assumeRole": "role/deployer", "defaultTags": "CostCenter", "ignoreTags": "audit:",
			} {
				require.Contains(t, formatProperty(r.Inputs[resource.PropertyKey(key)]), want)
			}
		case "pulumi:providers:kubernetes":
			require.Contains(t, formatProperty(r.Inputs["kubeconfig"]), `"--profile","platform"`, "the token belongs to the identity that created the cluster, not to the identity in the environment")
			require.Contains(t, formatProperty(r.Inputs["kubeconfig"]), `"--role-arn","arn:aws:iam::123456789012:role/deployer"`)
		case image.Token:
			require.Equal(t, resource.NewPropertyMapFromMap(map[string]any{
				"region": "eu-west-1", "profile": "platform", "roleArn": "arn:aws:iam::123456789012:role/deployer",
			}), r.Inputs["login"].ObjectValue(), "images log in with the identity of the provider and the kubeconfig")
			require.False(t, r.Inputs.ContainsSecrets(), "no password of the registry is in the state")
			images++
		case "aws:autoscaling/group:Group":
			groups++
			require.Contains(t, formatProperty(r.Inputs["tags"]), "CostCenter", "a provider's default tags do not reach instances")
		case "aws:ec2/launchTemplate:LaunchTemplate":
			templates++
			require.False(t, r.Inputs["imageId"].IsSecret(), "a preview shows the AMI")
		}
	}
	require.NotZero(t, images)
	require.Equal(t, []int{2, 2, 2}, []int{providers, groups, templates}, "a provider of the region and one of the edge, a group and a launch template of each tier")
}

// formatProperty returns the text of a property value, of any type.
func formatProperty(v resource.PropertyValue) string { return v.String() }

// TagKeys has each tag that the program sets. Load refuses an aws:ignoreTags with such a tag.
func TestEveryTagOfTheProgramIsKnown(t *testing.T) {
	stack, err := config.Load("prod", readStackValues(t, "prod", nil))
	require.NoError(t, err)
	resources, err := deployMocked(t, stack)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, r := range resources {
		tags := r.Inputs["tags"]
		switch {
		case tags.IsObject():
			for key := range tags.ObjectValue() {
				seen[string(key)] = true
			}
		case tags.IsArray(): // of Auto Scaling Groups
			for _, tag := range tags.ArrayValue() {
				seen[tag.ObjectValue()["key"].StringValue()] = true
			}
		}
	}
	for key := range seen {
		require.Contains(t, stack.TagKeys(), key)
	}
	require.Contains(t, seen, "kubernetes.io/role/internal-elb")
}

// Each action in the policies of the program's roles, keys, buckets, queues and endpoints exists
// at AWS. The resources and conditions of a statement do not prevent its actions. The test uses
// AWS's published reference and does not call IAM.
func TestPoliciesOfTheProgramAllowWhatTheyName(t *testing.T) {
	reference, err := authorization.Load()
	require.NoError(t, err)
	documents := 0
	for _, name := range []string{"prod", "staging"} {
		stack, err := config.Load(name, readStackValues(t, name, map[string]string{
			config.Project + ":prometheus": `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"}`,
		}))
		require.NoError(t, err)
		resources, err := deployMocked(t, stack)
		require.NoError(t, err)
		arns := newARNReplacer(resources)
		for _, r := range resources {
			for _, key := range []resource.PropertyKey{"policy", "assumeRolePolicy"} {
				document := r.Inputs[key]
				if document.IsSecret() {
					document = document.SecretValue().Element
				}
				if !document.IsString() || !strings.HasPrefix(r.Type, "aws:") || strings.HasPrefix(r.Type, "aws:ecr/lifecyclePolicy:") { // not an IAM policy
					continue
				}
				documents++
				require.NoError(t, reference.Check([]byte(arns.Replace(document.StringValue()))), "%s %s", r.URN, key)
			}
		}
	}
	require.Greater(t, documents, 60)
}

// arnForms are the ARNs of the types that policies name, in AWS's form.
var arnForms = map[string]string{
	"aws:autoscaling/group:Group":              "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/NAME",
	"aws:cloudfront/distribution:Distribution": "arn:aws:cloudfront::123456789012:distribution/NAME",
	"aws:cloudwatch/eventRule:EventRule":       "arn:aws:events:us-east-1:123456789012:rule/NAME",
	"aws:cloudwatch/logGroup:LogGroup":         "arn:aws:logs:us-east-1:123456789012:log-group:NAME",
	"aws:eks/cluster:Cluster":                  "arn:aws:eks:us-east-1:123456789012:cluster/NAME",
	"aws:iam/role:Role":                        "arn:aws:iam::123456789012:role/NAME",
	"aws:kms/key:Key":                          "arn:aws:kms:us-east-1:123456789012:key/NAME",
	"aws:s3/bucketV2:BucketV2":                 "arn:aws:s3:::NAME",
	"aws:secretsmanager/secret:Secret":         "arn:aws:secretsmanager:us-east-1:123456789012:secret:NAME",
	"aws:sqs/queue:Queue":                      "arn:aws:sqs:us-east-1:123456789012:NAME",
	"aws:wafv2/webAcl:WebAcl":                  "arn:aws:wafv2:us-east-1:123456789012:global/webacl/NAME/0",
}

// newARNReplacer returns a replacer of the mocks' ARNs by ARNs in AWS's form. The ARNs of the mocks
// name no service. Longer ARNs come first, because some ARNs begin with another one.
func newARNReplacer(resources []cloudmocks.Registration) *strings.Replacer {
	realARNs := map[string]string{}
	for _, r := range resources {
		form, known := arnForms[r.Type]
		if mock := r.Outputs["arn"]; known && mock.IsString() {
			realARNs[mock.StringValue()] = strings.ReplaceAll(form, "NAME", r.Name)
		}
	}
	var pairs []string
	for _, mock := range slices.SortedFunc(maps.Keys(realARNs), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) {
		pairs = append(pairs, mock, realARNs[mock])
	}
	return strings.NewReplacer(pairs...)
}
