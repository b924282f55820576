package componenttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/protection"
)

const (
	region    = "us-east-1"
	accountID = "123456789012"
)

// registration is one resource as a program registered it.
type registration struct {
	Type, Name, URN, Parent string
	Inputs                  resource.PropertyMap
	Protect                 bool
	IgnoreChanges           []string
	// Dependencies are the URNs of the resources that must come before it.
	Dependencies []string
}

// deployment is all that a program registered, by type and name.
type deployment []registration

// program creates components in an account.
type program func(ctx *pulumi.Context, where *account.Account) error

// run runs a program against mocks, in the account accountID.
func run(p program) (deployment, error) {
	m := &mocks{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		return p(ctx, account.Lookup(ctx, region))
	}, pulumi.WithMocks("platform", "test", m))
	slices.SortFunc(m.registered, func(a, b registration) int { return strings.Compare(a.URN, b.URN) })
	return m.registered, err
}

// deploy is run for a program that must succeed, and that has no resource of
// which nobody knows whether it may be replaced.
func deploy(t *testing.T, p program) deployment {
	t.Helper()
	d, err := run(p)
	require.NoError(t, err)
	for _, r := range d {
		_, known := protection.Holds(r.Type, true)
		require.True(t, known, "type %s: say in components/protection/types.go whether it holds data, an address or an identity", r.Type)
	}
	return d
}

// of lists the resources of a type.
func (d deployment) of(kind string) deployment {
	return slices.DeleteFunc(slices.Clone(d), func(r registration) bool { return r.Type != kind })
}

// one is the only resource of a type, or the one of that name.
func (d deployment) one(t *testing.T, kind string, name ...string) registration {
	t.Helper()
	found := slices.DeleteFunc(d.of(kind), func(r registration) bool { return len(name) > 0 && r.Name != name[0] })
	require.Len(t, found, 1, "resources of type %s named %v", kind, name)
	return found[0]
}

// names are the names of the resources of a type, sorted.
func (d deployment) names(kind string) []string {
	var names []string
	for _, r := range d.of(kind) {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

// get is an input by its path, such as "spec.containers[0].image", without
// its marks of secrecy; nil: it is not set.
func (r registration) get(path string) any {
	parsed, err := resource.ParsePropertyPath(path)
	if err != nil {
		return err
	}
	v, ok := parsed.Get(resource.NewProperty(r.Inputs))
	if !ok {
		return nil
	}
	return plain(v)
}

// has requires inputs, by path.
func (r registration) has(t *testing.T, want map[string]any) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		require.EqualValues(t, want[path], r.get(path), "%s of %s %s", path, r.Type, r.Name)
	}
}

// dependsOn requires that a resource comes after others.
func (r registration) dependsOn(t *testing.T, others ...registration) {
	t.Helper()
	for _, o := range others {
		require.Contains(t, r.Dependencies, o.URN, "%s must come after %s", r.Name, o.Name)
	}
}

// requireRestricted requires that a pod template passes the Pod Security
// Standard "restricted", and that no container writes to its root file system.
func requireRestricted(t *testing.T, r registration, pod string, user int) {
	t.Helper()
	r.has(t, map[string]any{
		pod + ".securityContext.runAsNonRoot": true, pod + ".securityContext.runAsUser": user,
		pod + ".securityContext.seccompProfile.type": "RuntimeDefault",
		pod + ".hostNetwork":                         nil, pod + ".hostPID": nil,
	})
	containers, _ := r.get(pod + ".containers").([]any)
	require.NotEmpty(t, containers)
	for i := range containers {
		at := fmt.Sprintf("%s.containers[%d].securityContext.", pod, i)
		r.has(t, map[string]any{
			at + "allowPrivilegeEscalation": false, at + "readOnlyRootFilesystem": true, at + "capabilities.drop": []any{"ALL"},
			at + "privileged": nil, at + "capabilities.add": nil,
		})
	}
}

func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsArray():
		var all []any
		for _, e := range v.ArrayValue() {
			all = append(all, plain(e))
		}
		return all
	case v.IsObject():
		all := map[string]any{}
		for k, e := range v.ObjectValue() {
			all[string(k)] = plain(e)
		}
		return all
	}
	return v.Mappable()
}

// mocks record what is registered, and answer as AWS and Kubernetes do.
type mocks struct {
	mu         sync.Mutex
	registered deployment
}

// NewResource is called by Pulumi for each resource.
func (m *mocks) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := args.RegisterRPC
	m.mu.Lock()
	defer m.mu.Unlock()
	m.registered = append(m.registered, registration{
		Type: args.TypeToken, Name: args.Name, URN: urn(r.GetParent(), args.TypeToken, args.Name), Parent: r.GetParent(),
		Inputs: args.Inputs, Protect: r.GetProtect(), IgnoreChanges: r.GetIgnoreChanges(), Dependencies: r.GetDependencies(),
	})
	if !args.Custom {
		return "", resource.PropertyMap{}, nil
	}
	out := args.Inputs.Copy()
	for key, value := range computed(args.TypeToken, args.Name) {
		if _, set := out[resource.PropertyKey(key)]; !set || key == "vpcConfig" || key == "kubernetesNetworkConfig" {
			out[resource.PropertyKey(key)] = resource.NewPropertyValue(value)
		}
	}
	return args.Name + "-id", out, nil
}

func urn(parent, kind, name string) string {
	var parentType resource.URN
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p
	}
	if parentType == "" {
		return fmt.Sprintf("urn:pulumi:test::platform::%s::%s", kind, name)
	}
	return fmt.Sprintf("urn:pulumi:test::platform::%s$%s::%s", parentType.QualifiedType(), kind, name)
}

// computed are the outputs that a resource has beside its inputs.
func computed(kind, name string) map[string]any {
	type object = map[string]any
	out := object{"name": name, "arn": "arn:aws:mock:" + region + ":" + accountID + ":" + name}
	secret := []any{object{"secretArn": "arn:aws:secretsmanager:" + region + ":" + accountID + ":secret:master-of-" + name}}
	for key, value := range map[string]object{
		"aws:acm/certificate:Certificate": {"domainValidationOptions": []any{object{
			"domainName": "example.com", "resourceRecordName": "_proof.example.com", "resourceRecordType": "CNAME", "resourceRecordValue": "_acm",
		}}},
		"aws:cloudfront/distribution:Distribution": {"domainName": "d1.cloudfront.net", "hostedZoneId": "Z2"},
		"aws:docdb/cluster:Cluster":                {"endpoint": "writer.docdb", "readerEndpoint": "reader.docdb", "masterUserSecrets": secret},
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
		"aws:rds/instance:Instance":        {"address": "postgres.rds", "resourceId": "db-1", "masterUserSecrets": secret},
		"aws:s3/bucketV2:BucketV2":         {"bucket": name, "bucketDomainName": name + ".s3", "bucketRegionalDomainName": name + ".s3.regional"},
		"ko:index:ChangeGuard":             {"values": object{"zone": "us-east-1b"}},
		"ko:index:Image":                   {"digest": "sha256:1", "reference": "registry.example.com/service@sha256:1"},
	} {
		if key == kind {
			maps.Copy(out, value)
		}
	}
	return out
}

// Call is called by Pulumi for each invoke.
func (m *mocks) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	results := map[string]map[string]any{
		"aws:index/getCallerIdentity:getCallerIdentity":          {"accountId": accountID},
		"aws:index/getPartition:getPartition":                    {"partition": "aws"},
		"aws:ec2/getSecurityGroup:getSecurityGroup":              {"id": "sg-vpc-origins"},
		"aws:ecr/getAuthorizationToken:getAuthorizationToken":    {"userName": "AWS", "password": "token"},
		"aws:ecr/getImage:getImage":                              {"imageUri": "registry.example.com/base@sha256:2"},
		"aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "generated-password"},
		"aws:ssm/getParameter:getParameter":                      {"insecureValue": "ami-recommended"},
	}
	result, ok := results[args.Token]
	if !ok {
		return nil, fmt.Errorf("call of %s: the mocks have no answer", args.Token)
	}
	return resource.NewPropertyMapFromMap(result), nil
}
