package aws

import (
	"slices"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

const (
	eksTrust         = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	podTrust         = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
	flowTrust        = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	readPolicy       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	clusterPolicyARN = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
)

// testStack records the resources that a test has created in a sandbox.
type testStack struct {
	s       *sandbox
	created []*resource // in the order of creation
	byName  map[string]*resource
	news    map[string]props // the inputs in the program, by the name of the resource
}

// newStack returns a stack without resources.
func (s *sandbox) newStack() *testStack {
	return &testStack{s: s, byName: map[string]*resource{}, news: map[string]props{}}
}

// add creates a resource and adds the resource to the stack.
func (stack *testStack) add(token, name string, in props) *resource {
	stack.s.t.Helper()
	created := stack.s.mustCreate(token, name, in)
	stack.created = append(stack.created, created)
	stack.byName[name], stack.news[name] = created, in
	return created
}

// requireNoDiff asserts that the resources do not differ from their inputs: after the creation,
// and after each of two refreshes.
func (stack *testStack) requireNoDiff() {
	stack.s.t.Helper()
	for _, round := range []string{"after the creation", "after a refresh", "after a second refresh"} {
		for _, created := range stack.created {
			d := stack.s.diff(created, stack.news[created.name])
			require.Equal(stack.s.t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%s: %s %s differs: %v", round, created.token, created.name, d.GetDetailedDiff())
			require.True(stack.s.t, stack.s.refresh(created), created.name)
		}
	}
}

// requireDeletion deletes all resources in reverse order, and asserts that the store is
// empty then.
func (stack *testStack) requireDeletion() {
	stack.s.t.Helper()
	for _, created := range slices.Backward(stack.created) {
		require.NoError(stack.s.t, stack.s.delete(created), "%s %s", created.token, created.name)
		require.False(stack.s.t, stack.s.refresh(created), "%s still exists", created.name)
		require.NoError(stack.s.t, stack.s.delete(created), "%s: a second deletion is not an error", created.name)
	}
	require.Zero(stack.s.t, stack.s.objectCount(), "the store still has objects")
}

// createClusterStack creates a VPC with subnets in two zones, a NAT gateway, an image
// repository and an EKS cluster.
func (s *sandbox) createClusterStack() *testStack {
	s.t.Helper()
	stack := s.newStack()
	add := stack.add
	vpc := add(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16", "enableDnsSupport": true, "enableDnsHostnames": true, "tags": props{"Name": "main"}})
	add("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", props{"vpcId": vpc.id})
	gateway := add(internetGatewayT, "gateway", props{"vpcId": vpc.id})
	a := add(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/20", "availabilityZone": "us-east-1a", "mapPublicIpOnLaunch": true})
	b := add(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.16.0/20", "availabilityZone": "us-east-1b"})
	address := add(elasticIPT, "address", props{"domain": "vpc"})
	nat := add(natT, "nat", props{"allocationId": address.id, "subnetId": a.id})
	public := add(routeTableT, "public", props{"vpcId": vpc.id, "routes": []any{props{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway.id}}})
	private := add(routeTableT, "private", props{"vpcId": vpc.id})
	add(routeT, "out", props{"routeTableId": private.id, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": nat.id})
	add(routeTableAssocT, "public-a", props{"routeTableId": public.id, "subnetId": a.id})
	add(routeTableAssocT, "private-b", props{"routeTableId": private.id, "subnetId": b.id})
	group := add(securityGroupT, "group", props{"vpcId": vpc.id})
	add(ingressT, "https", props{"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.20.0.0/16"})
	add(endpointT, "s3", props{"vpcId": vpc.id, "serviceName": "com.amazonaws.us-east-1.s3", "routeTableIds": []any{private.id}})
	add(endpointT, "sts", props{
		"vpcId": vpc.id, "serviceName": "com.amazonaws.us-east-1.sts", "vpcEndpointType": "Interface", "privateDnsEnabled": true,
		"subnetIds": []any{a.id, b.id}, "securityGroupIds": []any{group.id},
	})
	logs := add(logGroupT, "logs", props{"retentionInDays": 30})
	flow := add(roleT, "flow", props{"assumeRolePolicy": flowTrust})
	add(flowLogT, "flow-log", props{"vpcId": vpc.id, "trafficType": "ALL", "logDestination": logs.state["arn"], "iamRoleArn": flow.state["arn"]})
	add(repositoryT, "repository", props{"name": "platform/mca", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": props{"scanOnPush": true},
		"encryptionConfigurations": []any{props{"encryptionType": "KMS"}}})
	key := add(keyT, "key", props{"enableKeyRotation": true, "deletionWindowInDays": 7})
	add(aliasT, "alias", props{"targetKeyId": key.id})
	role := add(roleT, "control-plane", props{"assumeRolePolicy": eksTrust})
	add(policyAttachmentT, "control-plane-policy", props{"role": role.state["name"], "policyArn": clusterPolicyARN})
	cluster := add(clusterT, "cluster", props{
		"roleArn": role.state["arn"], "version": "1.33", "enabledClusterLogTypes": []any{"audit", "api"},
		"vpcConfig":        props{"subnetIds": []any{b.id, a.id}, "endpointPrivateAccess": true},
		"accessConfig":     props{"authenticationMode": "API"},
		"encryptionConfig": props{"provider": props{"keyArn": key.state["arn"]}, "resources": []any{"secrets"}},
	})
	pods := add(roleT, "pods", props{"assumeRolePolicy": podTrust})
	add(accessEntryT, "entry", props{"clusterName": cluster.id, "principalArn": pods.state["arn"]})
	add("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", "view", props{
		"clusterName": cluster.id, "principalArn": pods.state["arn"], "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
		"accessScope": props{"type": "cluster"},
	})
	add(addonT, "dns", props{"clusterName": cluster.id, "addonName": "coredns", "addonVersion": "v1.12.4-eksbuild.1"})
	add(podIdentityT, "mca", props{"clusterName": cluster.id, "namespace": "default", "serviceAccount": "mca", "roleArn": pods.state["arn"]})
	return stack
}

func TestUnchangedClusterStackHasNoDiff(t *testing.T) {
	newSandbox(t, nil).createClusterStack().requireNoDiff()
}

func TestClusterStackIsDeletedInReverseOrder(t *testing.T) {
	newSandbox(t, nil).createClusterStack().requireDeletion()
}

func TestObjectInUseIsNotDeleted(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createClusterStack()
	before := s.objectCount()
	for name, code := range map[string]string{
		"vpc":     "DependencyViolation",
		"a":       "DependencyViolation",
		"group":   "DependencyViolation", // an endpoint uses it
		"gateway": "DependencyViolation", // an internet gateway stays while a NAT gateway has a public address
		"address": "InvalidIPAddress.InUse",
	} {
		err := s.delete(stack.byName[name])
		require.ErrorContains(t, err, code, name)
		require.ErrorContains(t, err, stack.byName[name].id, "the error names the object to delete")
	}
	require.ErrorContains(t, s.delete(stack.byName["vpc"]), "refers to it in vpcId", "the error names the property that refers to the object")
	require.Equal(t, before, s.objectCount())
}

func TestClusterStackOutputsHaveFormatOfAWS(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createClusterStack()
	for _, want := range []struct{ name, property, pattern string }{
		{"vpc", "arn", `^arn:aws:ec2:us-east-1:123456789012:vpc/vpc-[0-9a-f]{17}$`},
		{"vpc", "defaultSecurityGroupId", `^sg-[0-9a-f]{17}$`},
		{"vpc", "mainRouteTableId", `^rtb-[0-9a-f]{17}$`},
		{"a", "availabilityZoneId", `^use1-az1$`},
		{"address", "publicIp", `^(198\.51\.100|203\.0\.113)\.\d+$`},
		{"address", "publicDns", `^ec2-[\d-]+\.compute-1\.amazonaws\.com$`},
		{"nat", "privateIp", `^10\.20\.0\.\d+$`},
		{"group", "name", `^group-[0-9a-f]{7}$`},
		{"group", "description", `^Managed by Pulumi$`},
		{"s3", "prefixListId", `^pl-[0-9a-f]{8}$`},
		{"logs", "arn", `^arn:aws:logs:us-east-1:123456789012:log-group:logs-[0-9a-f]{7}$`},
		{"flow", "uniqueId", `^AROA[A-Z0-9]{17}$`},
		{"repository", "repositoryUrl", `^127\.0\.0\.1:\d+/platform/mca$`},
		{"repository", "registryId", `^123456789012$`},
		{"key", "keyId", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`},
		{"alias", "name", `^alias/alias-[0-9a-f]{7}$`},
		{"cluster", "endpoint", `^https://127\.0\.0\.1:6443$`},
		{"cluster", "status", `^ACTIVE$`},
		{"entry", "userName", `^arn:aws:sts::123456789012:assumed-role/pods-[0-9a-f]{7}/\{\{SessionName\}\}$`},
		{"mca", "associationId", `^a-[a-z0-9]{17}$`},
	} {
		value, _ := stack.byName[want.name].state[want.property].(string)
		require.Regexp(t, want.pattern, value, "%s.%s", want.name, want.property)
	}
	cluster := stack.byName["cluster"].state
	require.Equal(t, b64("authority"), cluster["certificateAuthority"].(props)["data"])
	require.Equal(t, "172.20.0.0/16", cluster["kubernetesNetworkConfig"].(props)["serviceIpv4Cidr"], "the VPC is in 10.0.0.0/8")
	require.Equal(t, stack.byName["vpc"].id, cluster["vpcConfig"].(props)["vpcId"])
	issuer := cluster["identities"].([]any)[0].(props)["oidcs"].([]any)[0].(props)["issuer"]
	require.Regexp(t, `^https://oidc\.eks\.us-east-1\.amazonaws\.com/id/[A-Z0-9]{32}$`, issuer)
}
