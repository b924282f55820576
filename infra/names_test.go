package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/iam/naming"
	"github.com/progressive-framework/platform/infra/config"
)

// nameLimits are the longest names that AWS allows, by resource type. property is the property with
// the name. If a resource does not set it, Pulumi adds a suffix to the logical name. Each number is
// in the API reference of the type.
var nameLimits = map[string]struct {
	property  string
	maxLength int
}{
	"aws:autoscaling/group:Group":                                {"name", 255},
	"aws:autoscaling/lifecycleHook:LifecycleHook":                {"name", 255},
	"aws:autoscaling/policy:Policy":                              {"name", 255},
	"aws:backup/plan:Plan":                                       {"name", 50},
	"aws:backup/selection:Selection":                             {"name", 50},
	"aws:backup/vault:Vault":                                     {"name", 50},
	"aws:cloudfront/cachePolicy:CachePolicy":                     {"name", 128},
	"aws:cloudfront/originAccessControl:OriginAccessControl":     {"name", 64},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": {"name", 128},
	"aws:cloudwatch/eventRule:EventRule":                         {"name", 64},
	"aws:cloudwatch/logGroup:LogGroup":                           {"name", 512},
	"aws:cloudwatch/metricAlarm:MetricAlarm":                     {"name", 255},
	"aws:docdb/cluster:Cluster":                                  {"clusterIdentifier", 63},
	"aws:docdb/clusterInstance:ClusterInstance":                  {"identifier", 63},
	"aws:docdb/clusterParameterGroup:ClusterParameterGroup":      {"name", 255},
	"aws:docdb/subnetGroup:SubnetGroup":                          {"name", 255},
	"aws:ec2/launchTemplate:LaunchTemplate":                      {"name", 128},
	"aws:ec2/securityGroup:SecurityGroup":                        {"name", 255},
	"aws:ecr/repository:Repository":                              {"name", 256},
	"aws:eks/cluster:Cluster":                                    {"name", 100},
	"aws:elasticache/parameterGroup:ParameterGroup":              {"name", 255},
	"aws:elasticache/replicationGroup:ReplicationGroup":          {"replicationGroupId", 40},
	"aws:elasticache/subnetGroup:SubnetGroup":                    {"name", 255},
	"aws:elasticache/user:User":                                  {"userId", 40},
	"aws:elasticache/userGroup:UserGroup":                        {"userGroupId", 40},
	"aws:iam/instanceProfile:InstanceProfile":                    {"name", 128},
	"aws:iam/role:Role":                                          {"name", naming.MaxRoleNameLength},
	"aws:iam/rolePolicy:RolePolicy":                              {"name", 128},
	"aws:kms/alias:Alias":                                        {"name", 256},
	"aws:lb/loadBalancer:LoadBalancer":                           {"name", 32},
	"aws:lb/targetGroup:TargetGroup":                             {"name", 32},
	"aws:rds/instance:Instance":                                  {"identifier", 63},
	"aws:rds/parameterGroup:ParameterGroup":                      {"name", 255},
	"aws:rds/subnetGroup:SubnetGroup":                            {"name", 255},
	"aws:s3/bucketV2:BucketV2":                                   {"bucket", 63},
	"aws:secretsmanager/secret:Secret":                           {"name", 512},
	"aws:sqs/queue:Queue":                                        {"name", 80},
	"aws:wafv2/webAcl:WebAcl":                                    {"name", 128},
	"kubernetes:core/v1:Namespace":                               {"metadata.name", 63},
	"kubernetes:core/v1:Service":                                 {"metadata.name", 63},
	"kubernetes:batch/v1:CronJob":                                {"metadata.name", 52},
	"kubernetes:batch/v1:Job":                                    {"metadata.name", 63},
}

// maxTagValue is the longest value of a tag (AWS Tagging, "Tag naming limits").
const maxTagValue = 256

// requireNamesFit fails the test if a name or a tag is longer than AWS allows.
func requireNamesFit(t testing.TB, resources []cloudmocks.Registration) {
	t.Helper()
	for _, r := range resources {
		if !r.Custom {
			continue
		}
		limit, known := nameLimits[r.Type]
		if !known {
			limit.property, limit.maxLength = "name", 255
		}
		if name, isSet := stringAt(r.Inputs, limit.property); isSet {
			require.LessOrEqual(t, len(name), limit.maxLength, "%s of %s %s: %s", limit.property, r.Type, r.Name, name)
		} else if known { // Pulumi generates the name from the name of the resource and a random suffix
			require.LessOrEqual(t, len(r.Name)+naming.SuffixLength, limit.maxLength, "%s of %s %s", limit.property, r.Type, r.Name)
		}
		if tags, found := r.Inputs["tags"]; found && tags.IsObject() {
			for key, value := range tags.ObjectValue() {
				if value.IsString() {
					require.LessOrEqual(t, len(value.StringValue()), maxTagValue, "tag %s of %s", key, r.Name)
				}
			}
		}
	}
}

// stringAt returns the string value of a property, and false if the property is no string. property
// is a path of keys that are separated by dots.
func stringAt(inputs resource.PropertyMap, property string) (string, bool) {
	value := resource.NewProperty(inputs)
	for _, key := range strings.Split(property, ".") {
		if !value.IsObject() {
			return "", false
		}
		value = value.ObjectValue()[resource.PropertyKey(key)]
	}
	if !value.IsString() {
		return "", false
	}
	return value.StringValue(), true
}

// AWS allows all names of a stack with the longest environment that the configuration allows, and
// with every component that a stack can have.
func TestNamesOfTheLongestEnvironmentFit(t *testing.T) {
	managed := map[string]string{
		"progressive-framework:postgres": `{"instanceClass":"db.r7g.xlarge","backupRegion":"us-west-2"}`,
		"progressive-framework:redis":    `{"nodeType":"cache.r7g.large"}`,
		"progressive-framework:mongo":    `{"kind":"managed","instanceClass":"db.r6g.large","backupRegion":"us-west-2"}`,
	}
	inCluster := map[string]string{
		"progressive-framework:postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":8192}`,
		"progressive-framework:redis":    `{"kind":"inCluster","image":"ecr://debian/redis:7"}`,
		"progressive-framework:mongo":    `{"kind":"url","url":"mongodb://u@10.60.0.5/","passwordSecretArn":"arn:aws:secretsmanager:us-east-1:123456789012:secret:m-AbCdEf","cidrs":["10.60.0.0/24"]}`,
	}
	for _, tc := range []struct {
		environment string
		stores      map[string]string
	}{{"a", managed}, {"abcdefghij", managed}, {"abcdefghijkl", managed}, {"abcdefghijkl", inCluster}} {
		environment := tc.environment
		values := map[string]string{
			"aws:region":                                "us-east-1",
			"progressive-framework:environment":         environment,
			"progressive-framework:account":             "123456789012",
			"progressive-framework:network":             `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b","us-east-1c"]}`,
			"progressive-framework:auth":                `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
			"progressive-framework:edge":                `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws:sns:us-east-1:123456789012:a"}`,
			"progressive-framework:cluster":             `{"admins":["arn:aws:iam::123456789012:role/operators"],"publicAccessCidrs":["198.18.0.0/24"],"privateAccessCidrs":["10.99.0.0/16"]}`,
			"progressive-framework:podScaling":          `{"enabled":true,"predictive":"on"}`,
			"progressive-framework:prometheus":          `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"}`,
			"progressive-framework:images":              `{"kmsSigners":["arn:aws:iam::123456789012:role/deployer"]}`,
			"progressive-framework:permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
		}
		maps.Copy(values, tc.stores)
		stack, err := config.Load("prod", values)
		require.NoError(t, err)
		resources, err := deployMocked(t, stack)
		require.NoError(t, err, environment)
		requireNamesFit(t, resources)
		roles := 0
		names := map[string]bool{}
		for _, r := range resources {
			if r.Type != "aws:iam/role:Role" {
				continue
			}
			roles++
			require.False(t, names[r.Name], "%s is the name of two roles", r.Name)
			names[r.Name] = true
			require.Equal(t, stack.PermissionsBoundary, r.Inputs["permissionsBoundary"].StringValue(), "every role has the permissions boundary")
		}
		require.Greater(t, roles, 8)
	}
}

// Load refuses a longer environment, so AWS never refuses a name.
func TestLongerEnvironmentsAreRefused(t *testing.T) {
	_, err := config.Load("prod", map[string]string{"progressive-framework:environment": "abcdefghijklm"})
	require.ErrorContains(t, err, "progressive-framework:environment: Invalid value")
}
