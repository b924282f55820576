package main

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/infra/config"
)

// mockedResource is one resource that the program registered.
type mockedResource struct {
	token, name string
	inputs      resource.PropertyMap
}

// deployMocked runs the program for a stack against mocks and lists what it
// registered, components left out.
func deployMocked(t testing.TB, stack *config.Stack) ([]mockedResource, error) {
	t.Helper()
	m := &cloudMocks{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, stack) }, pulumi.WithMocks(config.Project, stack.Environment, m))
	return m.all, err
}

// cloudMocks record what is registered, and answer as AWS and Kubernetes do.
type cloudMocks struct {
	mu  sync.Mutex
	all []mockedResource
}

type mockObject = map[string]any

const mockAccount = "123456789012"

// mockAnswers are the outputs of types whose outputs the program reads.
var mockAnswers = map[string]mockObject{
	"aws:cloudfront/distribution:Distribution": {"domainName": "d1.cloudfront.net", "hostedZoneId": "Z2"},
	"aws:docdb/cluster:Cluster":                {"endpoint": "docdb", "readerEndpoint": "docdb", "masterUserSecrets": mockSecret},
	"aws:ec2/launchTemplate:LaunchTemplate":    {"latestVersion": 7},
	"aws:ec2/vpc:Vpc":                          {"ipv6CidrBlock": "2600:1f18:0:100::/56"},
	"aws:ecr/repository:Repository":            {"repositoryUrl": "registry.example.com/a"},
	"aws:eks/cluster:Cluster": {
		"endpoint": "https://eks.example.com", "certificateAuthority": mockObject{"data": "Q0E="},
		"kubernetesNetworkConfig": mockObject{"serviceIpv4Cidr": "172.20.0.0/16"}, "vpcConfig": mockObject{"clusterSecurityGroupId": "sg-eks"},
	},
	"aws:elasticache/replicationGroup:ReplicationGroup": {"configurationEndpointAddress": "redis"},
	"aws:lb/loadBalancer:LoadBalancer":                  {"dnsName": "alb.example.com", "zoneId": "Z1", "arnSuffix": "app/a"},
	"aws:lb/targetGroup:TargetGroup":                    {"arnSuffix": "targetgroup/a"},
	"aws:rds/instance:Instance":                         {"address": "rds", "resourceId": "db-1", "masterUserSecrets": mockSecret},
	"aws:s3/bucketV2:BucketV2":                          {"bucketDomainName": "a.s3", "bucketRegionalDomainName": "a.s3.regional"},
	"ko:index:Image":                                    {"digest": "sha256:1", "reference": "registry.example.com/a@sha256:1"},
}

var mockSecret = []any{mockObject{"secretArn": "arn:aws:secretsmanager:us-east-1:" + mockAccount + ":secret:master"}}

// mockCompleted are outputs that AWS completes, though the program sets a part.
var mockCompleted = []string{"vpcConfig", "kubernetesNetworkConfig"}

// NewResource is called by Pulumi for each resource.
func (m *cloudMocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if !args.Custom {
		return "", resource.PropertyMap{}, nil
	}
	m.mu.Lock()
	m.all = append(m.all, mockedResource{args.TypeToken, args.Name, args.Inputs})
	m.mu.Unlock()
	outputs := mockObject{
		"name": args.Name, "arn": "arn:aws:mock:us-east-1:" + mockAccount + ":" + args.Name, "keyId": args.Name, "bucket": args.Name,
	}
	maps.Copy(outputs, mockAnswers[args.TypeToken])
	if args.TypeToken == "aws:acm/certificate:Certificate" {
		outputs["domainValidationOptions"] = []any{mockObject{
			"domainName": args.Inputs["domainName"].StringValue(), "resourceRecordName": "_proof", "resourceRecordType": "CNAME", "resourceRecordValue": "_acm",
		}}
	}
	if fields, ok := args.Inputs["fields"]; ok && args.TypeToken == "ko:index:ChangeGuard" {
		accepted := mockObject{}
		for id, f := range fields.ObjectValue() {
			accepted[string(id)] = f.ObjectValue()["value"].StringValue()
		}
		outputs["values"] = accepted
	}
	out := args.Inputs.Copy()
	for key, value := range outputs {
		property := resource.PropertyKey(key)
		_, set := out[property]
		if !set || strings.Contains(strings.Join(mockCompleted, " "), key) && len(mockAnswers[args.TypeToken]) > 0 {
			out[property] = resource.NewPropertyValue(value)
		}
	}
	return args.Name + "-id", out, nil
}

// Call is called by Pulumi for each invoke.
func (m *cloudMocks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	results := map[string]mockObject{
		"aws:index/getCallerIdentity:getCallerIdentity":          {"accountId": mockAccount},
		"aws:index/getPartition:getPartition":                    {"partition": "aws"},
		"aws:ec2/getSecurityGroup:getSecurityGroup":              {"id": "sg-vpc-origins"},
		"aws:ecr/getAuthorizationToken:getAuthorizationToken":    {"userName": "AWS", "password": "token"},
		"aws:ecr/getImage:getImage":                              {"imageUri": "registry.example.com/base@sha256:2"},
		"aws:route53/getZone:getZone":                            {"zoneId": "Z3", "id": "Z3"},
		"aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "generated-password"},
		"aws:ssm/getParameter:getParameter":                      {"insecureValue": "ami-recommended"},
	}
	result, ok := results[args.Token]
	if !ok {
		return nil, fmt.Errorf("call of %s: the mocks have no answer", args.Token)
	}
	out := resource.NewPropertyMapFromMap(result)
	if args.Token == "aws:ssm/getParameter:getParameter" {
		out["value"] = resource.MakeSecret(resource.NewProperty("ami-recommended"))
	}
	return out, nil
}
