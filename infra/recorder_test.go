package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/components/traffic/tracer"
	"github.com/progressive-framework/platform/infra/config"
)

// registered is one resource of the whole program.
type registered struct {
	tracer.Resource
	URN string
	// Before are the URNs of what must exist first: dependencies and the parent.
	Before []string
}

// recorder answers as AWS and Kubernetes do, as far as the program needs, and
// records what is registered.
type recorder struct {
	mu  sync.Mutex
	all []registered
}

// deployed runs the whole program for a stack of the project, with its own YAML
// file, and returns everything that it registers. No engine takes part.
func deployed(t *testing.T, stack string) []registered {
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
	loaded, err := config.Load(stack, values)
	require.NoError(t, err)
	r := &recorder{}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, loaded) }, pulumi.WithMocks(config.Project, stack, r)))
	return r.all
}

// NewResource is called by Pulumi for each resource.
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	out := args.Inputs.Copy()
	for name, value := range outputsOf(args.TypeToken, args.Name) {
		key := resource.PropertyKey(name)
		if _, given := out[key]; !given || name == "vpcConfig" || name == "kubernetesNetworkConfig" {
			out[key] = resource.NewPropertyValue(value)
		}
	}
	rpc := args.RegisterRPC
	plain, err := plugin.MarshalProperties(out, plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		return "", nil, err
	}
	encoded, err := json.Marshal(plain.AsMap())
	if err != nil {
		return "", nil, err
	}
	var properties map[string]any
	if err := json.Unmarshal(encoded, &properties); err != nil {
		return "", nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, registered{
		Resource: tracer.Resource{Type: args.TypeToken, ID: args.Name + "-id", Properties: properties},
		URN:      urnOf(rpc.GetParent(), args.TypeToken, args.Name),
		Before:   append(rpc.GetDependencies(), rpc.GetParent()),
	})
	return args.Name + "-id", out, nil
}

// urnOf is the URN that the mocks give a resource.
func urnOf(parent, kind, name string) string {
	prefix, _, _ := strings.Cut(parent, "::"+config.Project+"::")
	types := strings.TrimPrefix(string(resource.URN(parent).QualifiedType()), "pulumi:pulumi:Stack")
	if types = strings.TrimPrefix(types, "$"); types != "" {
		types += "$"
	}
	return fmt.Sprintf("%s::%s::%s%s::%s", prefix, config.Project, types, kind, name)
}

const (
	mockAccount = "123456789012"
	mockARN     = "arn:aws:mock:us-east-1:" + mockAccount + ":"
)

// outputsOf are the outputs that a resource has in addition to its inputs.
func outputsOf(kind, name string) map[string]any {
	type object = map[string]any
	password := []any{object{"secretArn": mockARN + "password-of-" + name}}
	out := object{"name": name, "arn": mockARN + name}
	maps.Copy(out, map[string]object{
		"aws:acm/certificate:Certificate": {"domainValidationOptions": []any{
			object{"domainName": "progressive-framework.example", "resourceRecordName": "_a", "resourceRecordType": "CNAME", "resourceRecordValue": "_b"},
			object{"domainName": "origin.progressive-framework.example", "resourceRecordName": "_c", "resourceRecordType": "CNAME", "resourceRecordValue": "_d"},
			object{"domainName": "staging.progressive-framework.example", "resourceRecordName": "_e", "resourceRecordType": "CNAME", "resourceRecordValue": "_f"},
			object{"domainName": "origin.staging.progressive-framework.example", "resourceRecordName": "_g", "resourceRecordType": "CNAME", "resourceRecordValue": "_h"},
		}},
		"aws:cloudfront/distribution:Distribution": {"domainName": "d1.cloudfront.net", "hostedZoneId": "Z2"},
		"aws:docdb/cluster:Cluster":                {"endpoint": "writer.docdb", "readerEndpoint": "reader.docdb", "masterUserSecrets": password},
		"aws:ec2/launchTemplate:LaunchTemplate":    {"latestVersion": 7},
		"aws:ec2/vpc:Vpc":                          {"ipv6CidrBlock": "2600:1f18:0:100::/56"},
		"aws:ecr/repository:Repository":            {"repositoryUrl": "registry.example.com/" + name},
		"aws:eks/cluster:Cluster": {
			"endpoint": "https://eks.example.com", "certificateAuthority": object{"data": "Q0E="},
			"kubernetesNetworkConfig": object{"serviceIpv4Cidr": "172.20.0.0/16"}, "vpcConfig": object{"clusterSecurityGroupId": "sg-eks"},
		},
		"aws:elasticache/replicationGroup:ReplicationGroup": {"configurationEndpointAddress": "configuration.redis"},
		"aws:kms/key:Key":                  {"keyId": name + "-id"},
		"aws:lb/loadBalancer:LoadBalancer": {"dnsName": "alb.example.com", "zoneId": "Z1", "arnSuffix": "app/" + name},
		"aws:lb/targetGroup:TargetGroup":   {"arnSuffix": "targetgroup/" + name},
		"aws:rds/instance:Instance":        {"address": "postgres.rds", "resourceId": "db-1", "masterUserSecrets": password},
		"aws:s3/bucketV2:BucketV2":         {"bucket": name, "bucketDomainName": name + ".s3", "bucketRegionalDomainName": name + ".s3.regional"},
		"ko:index:Image":                   {"digest": "sha256:1", "reference": "registry.example.com/service@sha256:1"},
	}[kind])
	return out
}

// Call is called by Pulumi for each invoke.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	results := map[string]map[string]any{
		"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": mockAccount},
		"aws:index/getPartition:getPartition":           {"partition": "aws"},
		"aws:index/getAvailabilityZones:getAvailabilityZones": {
			"names":   []any{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"},
			"zoneIds": []any{"use1-az1", "use1-az2", "use1-az4", "use1-az6"},
		},
		"aws:ec2/getSecurityGroup:getSecurityGroup":              {"id": "sg-vpc-origins"},
		"aws:ecr/getAuthorizationToken:getAuthorizationToken":    {"userName": "AWS", "password": "token"},
		"aws:route53/getZone:getZone":                            {"zoneId": "Z0"},
		"aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "generated-password"},
		"aws:ssm/getParameter:getParameter":                      {"insecureValue": "ami-recommended"},
	}
	result, ok := results[args.Token]
	if !ok {
		return nil, fmt.Errorf("call of %s: the recorder has no answer; add one to infra/recorder_test.go", args.Token)
	}
	return resource.NewPropertyMapFromMap(result), nil
}
