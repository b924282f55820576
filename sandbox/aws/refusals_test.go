package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fixture has the resources that many tests need.
type fixture struct {
	s                          *sandbox
	vpc, otherVPC              *resource
	a, b, e                    *resource // subnets of vpc, each in the zone with its letter; EKS does not support the zone e
	otherVPCSubnet             *resource
	gateway, group, routeTable *resource
	elasticIP, key             *resource
	clusterRole, podRole       *resource // EKS can assume clusterRole; EKS Pod Identity can assume podRole
}

// newFixture creates the resources of a fixture in a new sandbox.
func newFixture(t *testing.T) *fixture {
	s := newSandbox(t, nil)
	f := &fixture{s: s}
	f.vpc = s.mustCreate(vpcT, "vpc", props{"cidrBlock": "10.30.0.0/16"})
	f.otherVPC = s.mustCreate(vpcT, "other", props{"cidrBlock": "10.31.0.0/16"})
	f.a = s.mustCreate(subnetT, "a", props{"vpcId": f.vpc.id, "cidrBlock": "10.30.0.0/24", "availabilityZone": "us-east-1a"})
	f.b = s.mustCreate(subnetT, "b", props{"vpcId": f.vpc.id, "cidrBlock": "10.30.1.0/24", "availabilityZone": "us-east-1b"})
	f.e = s.mustCreate(subnetT, "e", props{"vpcId": f.vpc.id, "cidrBlock": "10.30.2.0/24", "availabilityZone": "us-east-1e"})
	f.otherVPCSubnet = s.mustCreate(subnetT, "far", props{"vpcId": f.otherVPC.id, "cidrBlock": "10.31.0.0/24", "availabilityZone": "us-east-1b"})
	f.gateway = s.mustCreate(internetGatewayT, "gateway", props{"vpcId": f.vpc.id})
	f.routeTable = s.mustCreate(routeTableT, "table", props{"vpcId": f.vpc.id})
	f.group = s.mustCreate(securityGroupT, "web", props{"vpcId": f.vpc.id, "name": "web"})
	f.elasticIP = s.mustCreate(elasticIPT, "address", props{})
	f.clusterRole = s.mustCreate(roleT, "role", props{"name": "control-plane", "assumeRolePolicy": eksTrust})
	f.podRole = s.mustCreate(roleT, "pods", props{"name": "pods", "assumeRolePolicy": podTrust})
	f.key = s.mustCreate(keyT, "key", props{})
	s.mustCreate(keyT, "signing", props{"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "ECC_NIST_P256", "policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:Describe*","kms:PutKeyPolicy"],"Resource":"*"}]}`})
	return f
}

// identityPolicy returns an identity policy that allows one action.
func identityPolicy(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)
}

func TestNetworkIdentityAndClusterRefusals(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(natT, "nat", props{"allocationId": f.elasticIP.id, "subnetId": f.a.id})
	s.mustCreate(routeTableAssocT, "assoc", props{"routeTableId": f.routeTable.id, "subnetId": f.a.id})
	s.mustCreate(routeT, "route", props{"routeTableId": f.routeTable.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": f.gateway.id})
	s.mustCreate(ingressT, "rule", props{"securityGroupId": f.group.id, "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0"})
	s.mustCreate(repositoryT, "repository", props{"name": "taken"})
	s.mustCreate(logGroupT, "logs", props{"name": "taken"})
	s.mustCreate(aliasT, "alias", props{"name": "alias/taken", "targetKeyId": f.key.id})
	s.mustCreate(policyT, "policy", props{"name": "taken", "policy": readPolicy})
	s.mustCreate(profileT, "profile", props{"name": "taken"})
	lifecyclePolicy := func(list ...string) props {
		return props{"repository": "taken", "policy": `{"rules":[` + strings.Join(list, ",") + `]}`}
	}
	lifecycleRule := func(priority int, selection, action string) string {
		return fmt.Sprintf(`{"rulePriority":%d,"selection":{%s,"countType":"imageCountMoreThan","countNumber":1},"action":{"type":%q}}`, priority, selection, action)
	}
	ingressRule := func(change props) props {
		in := props{"securityGroupId": f.group.id, "cidrIpv4": "0.0.0.0/0"}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	subnetInputs := func(in props) props {
		in["vpcId"] = f.vpc.id
		return in
	}
	clusterInputs := func(change props) props {
		in := props{"roleArn": f.clusterRole.state["arn"], "version": "1.34", "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}}}
		for k, v := range change {
			in[k] = v
		}
		return in
	}
	s.requireRefusals([]refusal{
		{"a block that is too large for a VPC", vpcT, props{"cidrBlock": "10.0.0.0/8"}, "prefix of /16 to /28"},
		{"a CIDR block that is not written as its network", vpcT, props{"cidrBlock": "10.0.0.1/16"}, "must be written as its network, 10.0.0.0/16"},
		{"a VPC in the loopback range", vpcT, props{"cidrBlock": "127.0.0.0/16"}, "can't be used in a VPC"},
		{"a VPC without a CIDR, which needs IPAM", vpcT, props{}, "cidrBlock: a required property is missing"},
		{"a tenancy that does not exist", vpcT, props{"cidrBlock": "10.0.0.0/16", "instanceTenancy": "host"}, "one of default, dedicated"},
		{"an unknown property", vpcT, props{"cidrBlok": "10.0.0.0/16"}, "cidrBlok: no such property"},
		{"a property of the wrong type", vpcT, props{"cidrBlock": "10.0.0.0/16", "enableDnsSupport": "yes"}, "must be true or false, is a string"},
		{"IPAM, which the stand-in does not have", vpcT, props{"cidrBlock": "10.0.0.0/16", "ipv4IpamPoolId": "x"}, "refused by the AWS stand-in"},
		{"AWS's own tags", vpcT, props{"cidrBlock": "10.0.0.0/16", "tags": props{"aws:x": "y"}}, "the prefix aws: is reserved for AWS"},
		{"a long tag", vpcT, props{"cidrBlock": "10.0.0.0/16", "tags": props{"x": strings.Repeat("y", 257)}}, "at most 256 characters"},
		{"a subnet outside its VPC", subnetT, subnetInputs(props{"cidrBlock": "10.99.0.0/24"}), "InvalidSubnet.Range"},
		{"a subnet that overlaps another", subnetT, subnetInputs(props{"cidrBlock": "10.30.0.128/25"}), "InvalidSubnet.Conflict"},
		{"a subnet of too few addresses", subnetT, subnetInputs(props{"cidrBlock": "10.30.9.0/29"}), "prefix of /16 to /28"},
		{"a zone of another region", subnetT, subnetInputs(props{"cidrBlock": "10.30.9.0/24", "availabilityZone": "eu-west-1a"}), "availabilityZone is invalid"},
		{"a zone by name and by id", subnetT, subnetInputs(props{"cidrBlock": "10.30.9.0/24", "availabilityZone": "us-east-1a", "availabilityZoneId": "use1-az1"}), "can't be given together"},
		{"no IPv6 to assign", subnetT, subnetInputs(props{"cidrBlock": "10.30.9.0/24", "assignIpv6AddressOnCreation": true}), "needs ipv6CidrBlock"},
		{"a VPC that does not exist", subnetT, props{"vpcId": "vpc-0", "cidrBlock": "10.30.9.0/24"}, "InvalidVpcID.NotFound"},
		{"a second internet gateway", internetGatewayT, props{"vpcId": f.vpc.id}, "already has an internet gateway"},
		{"an address that is in use", natT, props{"allocationId": f.elasticIP.id, "subnetId": f.b.id}, "Resource.AlreadyAssociated"},
		{"a public NAT gateway without an address", natT, props{"subnetId": f.b.id}, "needs the allocation"},
		{"a private NAT gateway with an address", natT, props{"subnetId": f.b.id, "connectivityType": "private", "allocationId": f.elasticIP.id}, "not supported"},
		{"a second table for a subnet", routeTableAssocT, props{"routeTableId": f.routeTable.id, "subnetId": f.a.id}, "Resource.AlreadyAssociated"},
		{"a table of another VPC", routeTableAssocT, props{"routeTableId": f.routeTable.id, "subnetId": f.otherVPCSubnet.id}, "different networks"},
		{"a destination that is routed", routeT, props{"routeTableId": f.routeTable.id, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": f.gateway.id}, "RouteAlreadyExists"},
		{"the VPC's own route", routeT, props{"routeTableId": f.routeTable.id, "destinationCidrBlock": "10.30.0.0/16", "gatewayId": f.gateway.id}, "local route"},
		{"a route to nowhere", routeT, props{"routeTableId": f.routeTable.id, "destinationCidrBlock": "8.8.8.0/24"}, "exactly one of"},
		{"a route to two places", routeT, props{"routeTableId": f.routeTable.id, "destinationCidrBlock": "8.8.8.0/24", "gatewayId": "a", "natGatewayId": "b"}, "exactly one of"},
		{"a group of the same name", securityGroupT, props{"vpcId": f.vpc.id, "name": "web"}, "InvalidGroup.Duplicate"},
		{"the name of the VPC's own group", securityGroupT, props{"vpcId": f.vpc.id, "name": "default"}, "reserved"},
		{"a name like an id", securityGroupT, props{"vpcId": f.vpc.id, "name": "sg-web"}, "can't begin with sg-"},
		{"a group without a VPC", securityGroupT, props{"name": "lost"}, "vpcId: a required property is missing"},
		{"an inline rule without a source", securityGroupT, props{"vpcId": f.vpc.id, "ingress": []any{props{"protocol": "tcp", "fromPort": 1, "toPort": 2}}}, "one of cidrBlocks"},
		{"a rule that exists", ingressT, props{"securityGroupId": f.group.id, "ipProtocol": "6", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0", "description": "again"}, "InvalidPermission.Duplicate"},
		{"TCP without ports", ingressT, props{"securityGroupId": f.group.id, "ipProtocol": "tcp", "cidrIpv4": "0.0.0.0/0"}, "both fromPort and toPort"},
		{"all protocols with ports", ingressT, props{"securityGroupId": f.group.id, "ipProtocol": "-1", "fromPort": 0, "toPort": 0, "cidrIpv4": "0.0.0.0/0"}, "must be left out"},
		{"a first port above the last port", ingressT, props{"securityGroupId": f.group.id, "ipProtocol": "tcp", "fromPort": 9, "toPort": 8, "cidrIpv4": "0.0.0.0/0"}, "not a range"},
		{"a protocol whose ports AWS ignores", ingressT, ingressRule(props{"ipProtocol": "50"}), "is not supported yet"},
		{"a protocol that does not exist", ingressT, ingressRule(props{"ipProtocol": "http"}), "must be tcp, udp, icmp"},
		{"the provider's name for all protocols, which AWS does not accept", ingressT, ingressRule(props{"ipProtocol": "all"}), "sent to AWS as it is"},
		{"ICMP without a type", ingressT, ingressRule(props{"ipProtocol": "icmp"}), "the ICMP type"},
		{"ICMPv6 with a type and no code", ingressT, ingressRule(props{"ipProtocol": "58", "fromPort": 128}), "the ICMP type"},
		{"all ICMP types with one code", ingressT, ingressRule(props{"ipProtocol": "icmp", "fromPort": -1, "toPort": 0}), "all ICMP types have all codes"},
		{"a port in place of an ICMP type", ingressT, ingressRule(props{"ipProtocol": "icmp", "fromPort": 443, "toPort": 443}), "443 is not an ICMP type"},
		{"two sources", ingressT, props{"securityGroupId": f.group.id, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0", "referencedSecurityGroupId": f.group.id}, "exactly one of"},
		{"an endpoint service of another region", endpointT, props{"vpcId": f.vpc.id, "serviceName": "com.amazonaws.eu-west-1.s3"}, "InvalidServiceName"},
		{"a gateway endpoint with subnets", endpointT, props{"vpcId": f.vpc.id, "serviceName": "com.amazonaws.us-east-1.s3", "subnetIds": []any{f.a.id}}, "route tables only"},
		{"private DNS in a VPC without host names", endpointT, props{"vpcId": f.vpc.id, "serviceName": "com.amazonaws.us-east-1.sts", "vpcEndpointType": "Interface", "subnetIds": []any{f.a.id}, "privateDnsEnabled": true}, "enableDnsHostnames"},
		{"a role that flow logs can't assume", flowLogT, props{"vpcId": f.vpc.id, "trafficType": "ALL", "logDestination": "arn:aws:logs:us-east-1:123456789012:log-group:taken", "iamRoleArn": f.clusterRole.state["arn"]}, "Unable to assume"},
		{"a repository of the same name", repositoryT, props{"name": "taken"}, "RepositoryAlreadyExistsException"},
		{"capitals in a repository's name", repositoryT, props{"name": "Taken"}, "lower-case"},
		{"a key without KMS", repositoryT, props{"name": "x1", "encryptionConfigurations": []any{props{"encryptionType": "AES256", "kmsKey": "arn:aws:kms:us-east-1:123456789012:key/x"}}}, "needs encryptionType KMS"},
		{"a repository's policy with a resource", repoPolicyT, props{"repository": "taken", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage","Resource":"*"}]}`}, "has a Resource"},
		{"a repository's policy for a role that does not exist", repoPolicyT, props{"repository": "taken", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/nobody"},"Action":"ecr:BatchGetImage"}]}`}, "InvalidParameterException: Invalid parameter at 'PolicyText'"},
		{"a lifecycle rule for any image before another", ecrLifecycleT, lifecyclePolicy(lifecycleRule(1, `"tagStatus":"any"`, "expire"), lifecycleRule(2, `"tagStatus":"untagged"`, "expire")), "must be the highest"},
		{"tags by prefix and by pattern", ecrLifecycleT, lifecyclePolicy(lifecycleRule(1, `"tagStatus":"tagged","tagPrefixList":["v"],"tagPatternList":["v*"]`, "expire")), "both tagPrefixList and tagPatternList"},
		{"a tag pattern with five wildcards", ecrLifecycleT, lifecyclePolicy(lifecycleRule(1, `"tagStatus":"tagged","tagPatternList":["*a*b*c*d*"]`, "expire")), "more than 4 wildcards"},
		{"the archiving of images, which the provider ignores", ecrLifecycleT, lifecyclePolicy(lifecycleRule(1, `"tagStatus":"untagged"`, "transition")), "the stand-in supports expire"},
		{"a lifecycle rule that ECR does not support", ecrLifecycleT, props{"repository": "taken", "policy": `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`}, "needs tagPrefixList"},
		{"a role of the same name", roleT, props{"name": "pods", "assumeRolePolicy": podTrust}, "EntityAlreadyExists"},
		{"the name of a role in capitals", roleT, props{"name": "PODS", "assumeRolePolicy": podTrust}, "EntityAlreadyExists"},
		{"the name of a policy of another path", policyT, props{"name": "Taken", "path": "/other/", "policy": readPolicy}, "EntityAlreadyExists"},
		{"an instance profile of the same name", profileT, props{"name": "TAKEN"}, "EntityAlreadyExists"},
		{"a policy's path with an asterisk", policyT, props{"path": "/a*/", "policy": readPolicy}, "begins and ends with a slash"},
		{"a role's description beyond Latin-1", roleT, props{"name": "r1", "description": "\u2192", "assumeRolePolicy": podTrust}, "Latin-1"},
		{"a policy beyond Latin-1", policyT, props{"policy": strings.ReplaceAll(readPolicy, `"*"`, `"arn:aws:s3:::\u2192"`)}, "beyond U+00FF"},
		{"two statements with the same Sid", policyT, props{"policy": `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`}, "must be unique"},
		{"a trust policy's Sid with a space", roleT, props{"name": "r1", "assumeRolePolicy": strings.ReplaceAll(podTrust, `{"Effect"`, `{"Sid":"a b","Effect"`)}, "letters and digits"},
		{"no thumbprints", oidcT, props{"url": "https://example.com", "clientIdLists": []any{"a"}, "thumbprintLists": []any{}}, "has 0 elements"},
		{"a trust policy with a resource", roleT, props{"name": "r1", "assumeRolePolicy": identityPolicy("sts:AssumeRole")}, "Resource"},
		{"a trust policy with another action", roleT, props{"name": "r1", "assumeRolePolicy": strings.ReplaceAll(eksTrust, "sts:TagSession", "s3:GetObject")}, "STS actions"},
		{"a trust policy that is not JSON", roleT, props{"name": "r1", "assumeRolePolicy": "{"}, "not valid JSON"},
		{"a principal that does not exist", roleT, props{"name": "r1", "assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/nobody"},"Action":"sts:AssumeRole"}]}`}, "Invalid principal"},
		{"a name of 65 characters", roleT, props{"name": strings.Repeat("r", 65), "assumeRolePolicy": podTrust}, "1 to 64"},
		{"a policy with a principal", policyT, props{"policy": podTrust}, "no Resource"},
		{"a policy of an unknown version", policyT, props{"policy": strings.ReplaceAll(readPolicy, "2012-10-17", "2025-01-01")}, "Version"},
		{"a policy that is too long", policyT, props{"policy": strings.ReplaceAll(readPolicy, `"*"`, `"arn:aws:s3:::`+strings.Repeat("x", 6200)+`"`)}, "AWS allows 6144"},
		{"an AWS managed policy that does not exist", policyAttachmentT, props{"role": "pods", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSDreamPolicy"}, "NoSuchEntity"},
		{"a role that does not exist", policyAttachmentT, props{"role": "nobody", "policyArn": clusterPolicyARN}, "NoSuchEntity"},
		{"a deletion window of a day", keyT, props{"deletionWindowInDays": 1}, "must be 7 to 30"},
		{"a symmetric key that signs", keyT, props{"keyUsage": "SIGN_VERIFY"}, "not compatible with its KeySpec"},
		{"an asymmetric key that encrypts", keyT, props{"customerMasterKeySpec": "ECC_NIST_P256"}, "not compatible with its KeySpec"},
		{"a signing key that rotates", keyT, props{"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "ECC_NIST_P256", "enableKeyRotation": true}, "UnsupportedOperationException"},
		{"a key policy that does not let anybody change it", keyT, props{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logs.us-east-1.amazonaws.com"},"Action":"kms:Encrypt","Resource":"*"}]}`}, "will not allow you to update"},
		{"a key's policy for a role that does not exist", keyT, props{"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","arn:aws:iam::123456789012:role/nobody"]},"Action":"kms:*","Resource":"*"}]}`}, "MalformedPolicyDocumentException: Policy contains a statement"},
		{"the prefix alias/ without a name", aliasT, props{"namePrefix": "alias/", "targetKeyId": f.key.id}, "has 6 characters"},
		{"an alias of the same name", aliasT, props{"name": "alias/taken", "targetKeyId": f.key.id}, "AlreadyExistsException"},
		{"an alias without its prefix", aliasT, props{"name": "without-prefix", "targetKeyId": f.key.id}, "must be alias/"},
		{"an alias with the prefix that AWS reserves", aliasT, props{"name": "alias/aws/mine", "targetKeyId": f.key.id}, "can't begin with alias/aws/"},
		{"a log group of the same name", logGroupT, props{"name": "taken"}, "ResourceAlreadyExistsException"},
		{"a retention that does not exist", logGroupT, props{"name": "l1", "retentionInDays": 42}, "must be one of"},
		{"a key that CloudWatch Logs may not use", logGroupT, props{"name": "l1", "kmsKeyId": f.key.state["arn"]}, "logs.us-east-1.amazonaws.com"},
		{"a cluster in one zone", clusterT, clusterInputs(props{"vpcConfig": props{"subnetIds": []any{f.a.id, f.a.id}}}), "two different AZs"},
		{"a cluster in two VPCs", clusterT, clusterInputs(props{"vpcConfig": props{"subnetIds": []any{f.a.id, f.otherVPCSubnet.id}}}), "same VPC"},
		{"a zone without control planes", clusterT, clusterInputs(props{"vpcConfig": props{"subnetIds": []any{f.a.id, f.e.id}}}), "UnsupportedAvailabilityZoneException"},
		{"a Kubernetes version that EKS does not offer", clusterT, clusterInputs(props{"version": "1.12"}), "version: is"},
		{"a Kubernetes version without support since July 2026", clusterT, clusterInputs(props{"version": "1.30"}), "version: is"},
		{"a cluster without a version", clusterT, props{"roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}}}, "version: must be given"},
		{"a role without EKS's policy", clusterT, clusterInputs(nil), "AmazonEKSClusterPolicy"},
		{"a role for pods", clusterT, clusterInputs(props{"roleArn": f.podRole.state["arn"]}), "trusted entity"},
		{"a cluster with neither endpoint", clusterT, clusterInputs(props{"vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}, "endpointPublicAccess": false}}), "cannot both be false"},
		{"an add-on of a cluster that does not exist", addonT, props{"clusterName": "none", "addonName": "coredns", "addonVersion": "v1.0.0-eksbuild.1"}, "ResourceNotFoundException"},
		{"an unknown add-on", addonT, props{"clusterName": "none", "addonName": "dream", "addonVersion": "v1.0.0-eksbuild.1"}, "one of"},
		{"an unknown type", "aws:sns/topic:Topic", props{}, "sandbox/aws/rules/sns*.go"},
	})
}

func TestAllFailuresAreReportedAtOnce(t *testing.T) {
	s := newSandbox(t, nil)
	_, failures := s.check(vpcT, "v", nil, props{"cidrBlock": "10.0.0.0/8", "instanceTenancy": "host", "tags": props{"aws:x": "y"}})
	require.Len(t, failures, 3, "%v", failures)
}

func TestClusterUpdatesFollowTheRulesOfEKS(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	inputsWithVersion := func(version string) props {
		return props{"name": "c", "version": version, "roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}}}
	}
	cluster := s.mustCreate(clusterT, "c", inputsWithVersion("1.32"))
	_, err := s.create(accessEntryT, "entry", props{"clusterName": "c", "principalArn": f.podRole.state["arn"]})
	require.ErrorContains(t, err, "authentication mode", "the default mode has no access entries")
	require.ErrorContains(t, s.update(cluster, inputsWithVersion("1.34")), "version update from 1.32 to 1.34", "one minor version at a time")
	require.NoError(t, s.update(cluster, inputsWithVersion("1.33")))
	require.Equal(t, "1.33", cluster.state["version"])
	require.ErrorContains(t, s.update(cluster, inputsWithVersion("1.32")), "version update", "a version can't be lowered")
	subnetInZoneC := s.mustCreate(subnetT, "c", props{"vpcId": f.vpc.id, "cidrBlock": "10.30.3.0/24", "availabilityZone": "us-east-1c"})
	secondInZoneB := s.mustCreate(subnetT, "b2", props{"vpcId": f.vpc.id, "cidrBlock": "10.30.4.0/24", "availabilityZone": "us-east-1b"})
	inOtherSubnets := inputsWithVersion("1.33")
	inOtherSubnets["vpcConfig"] = props{"subnetIds": []any{f.a.id, subnetInZoneC.id}}
	require.ErrorContains(t, s.update(cluster, inOtherSubnets), "us-east-1a, us-east-1b", "a cluster stays in the zones of its creation")
	inOtherSubnets["vpcConfig"] = props{"subnetIds": []any{f.a.id, secondInZoneB.id}}
	require.NoError(t, s.update(cluster, inOtherSubnets), "another subnet in the same zone is allowed")
	cni := s.mustCreate(addonT, "cni", props{"clusterName": "c", "addonName": "vpc-cni", "addonVersion": "v1.18.0-eksbuild.1"})
	addonInputs := func(version string) props {
		return props{"clusterName": "c", "addonName": "vpc-cni", "addonVersion": version}
	}
	require.ErrorContains(t, s.update(cni, addonInputs("v1.20.0-eksbuild.1")), "one minor version at a time")
	require.NoError(t, s.update(cni, addonInputs("v1.19.2-eksbuild.1")))
	_, err = s.create(addonT, "proxy", props{"clusterName": "c", "addonName": "kube-proxy", "addonVersion": "v1.32.0-eksbuild.1"})
	require.ErrorContains(t, err, "not supported", "kube-proxy must have the cluster's version")
	_, err = s.create(podIdentityT, "identity", props{"clusterName": "c", "namespace": "x", "serviceAccount": "y", "roleArn": f.clusterRole.state["arn"]})
	require.ErrorContains(t, err, "pods.eks.amazonaws.com", "the role must trust pod identities")
	require.NoError(t, s.delete(cluster))
	require.NoError(t, s.delete(f.a), "a deleted cluster uses no subnet")
}

func TestAccessPolicyNeedsAnEntryOfTypeStandard(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	s.mustCreate(clusterT, "c", props{"name": "c", "version": "1.34", "roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
		"accessConfig": props{"authenticationMode": "API"}})
	s.mustCreate(accessEntryT, "nodes", props{"clusterName": "c", "principalArn": f.podRole.state["arn"], "type": "EC2_LINUX"})
	_, err := s.create(accessAssociationT, "view", props{"clusterName": "c", "principalArn": f.podRole.state["arn"], "accessScope": props{"type": "cluster"},
		"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"})
	require.ErrorContains(t, err, "type STANDARD", "entries for nodes have no access policies")
}

// Two clusters have the same administrator. The deletion of the entry in one cluster
// keeps the policy in the other one.
func TestDeletedAccessEntryDeletesOnlyItsOwnPolicies(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(policyAttachmentT, "attach", props{"role": f.clusterRole.state["name"], "policyArn": clusterPolicyARN})
	entries, policies := map[string]*resource{}, map[string]*resource{}
	for _, name := range []string{"c", "d"} {
		s.mustCreate(clusterT, name, props{"name": name, "version": "1.34", "roleArn": f.clusterRole.state["arn"], "vpcConfig": props{"subnetIds": []any{f.a.id, f.b.id}},
			"accessConfig": props{"authenticationMode": "API"}})
		entries[name] = s.mustCreate(accessEntryT, "entry-"+name, props{"clusterName": name, "principalArn": f.podRole.state["arn"]})
		policies[name] = s.mustCreate(accessAssociationT, "view-"+name, props{"clusterName": name, "principalArn": f.podRole.state["arn"], "accessScope": props{"type": "cluster"},
			"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"})
	}
	require.NoError(t, s.delete(entries["c"]))
	require.False(t, s.refresh(policies["c"]))
	require.True(t, s.refresh(policies["d"]))
}

func TestGatewayIsNotDetachedWhileAddressesUseIt(t *testing.T) {
	f := newFixture(t)
	s := f.s
	s.mustCreate(natT, "nat", props{"allocationId": f.elasticIP.id, "subnetId": f.a.id})
	require.ErrorContains(t, s.update(f.gateway, props{"vpcId": f.otherVPC.id}), "DependencyViolation", "a change of the VPC detaches the gateway from the old VPC")
	require.NoError(t, s.update(f.gateway, props{"vpcId": f.vpc.id, "tags": props{"a": "b"}}))
}

func TestDefaultGroupKeepsRulesThatAreNotGiven(t *testing.T) {
	f := newFixture(t)
	s := f.s
	group := s.mustCreate(defaultGroupT, "default", props{"vpcId": f.vpc.id, "ingress": []any{props{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": true}}})
	require.Empty(t, group.state["egress"], "rules that are not given are revoked on creation")
	require.NoError(t, s.update(group, props{"vpcId": f.vpc.id, "tags": props{"a": "b"}}))
	require.Len(t, group.state["ingress"], 1, "an update keeps rules that are not given")
}

func TestRoleIsDetachedFromProfileAndPolicies(t *testing.T) {
	f := newFixture(t)
	s := f.s
	policy := s.mustCreate(policyT, "read", props{"policy": readPolicy})
	owner := s.mustCreate(roleT, "owner", props{"name": "owner", "assumeRolePolicy": podTrust, "managedPolicyArns": []any{policy.id}})
	profile := s.mustCreate(profileT, "profile", props{"role": "owner"})
	s.mustCreate(policyAttachmentT, "attached", props{"role": "owner", "policyArn": clusterPolicyARN})
	s.mustCreate(policyAttachmentT, "attach", props{"role": "pods", "policyArn": clusterPolicyARN})
	require.ErrorContains(t, s.delete(f.podRole), "DeleteConflict", "a role with attached policies is not deleted")
	require.NoError(t, s.delete(owner), "a role with managedPolicyArns is detached from all policies and from its profile")
	require.True(t, s.refresh(profile))
	require.NotContains(t, profile.state, "role")
}

func TestRepositoryWithImagesIsNotDeleted(t *testing.T) {
	s := newSandbox(t, nil)
	in := props{"name": "a/b"}
	repository := s.mustCreate(repositoryT, "r", in)
	s.registry.push("a/b", "v1", "sha256:1")
	s.registry.push("a/b", "v2", "sha256:2")
	require.ErrorContains(t, s.delete(repository), "RepositoryNotEmptyException", "a repository with images is not deleted")
	in["forceDelete"] = true
	require.NoError(t, s.update(repository, in))
	require.NoError(t, s.delete(repository))
	require.Empty(t, s.registry.tags["a/b"], "forceDelete deletes the images")

	withoutTags := s.mustCreate(repositoryT, "p", props{"name": "cc"})
	s.registry.untagged = []string{"cc"}
	require.ErrorContains(t, s.delete(withoutTags), "RepositoryNotEmptyException", "an untagged image counts")
}
