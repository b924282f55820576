package aws

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// The API endpoint of a cluster accepts a connection only if the settings and the security groups
// of the endpoint allow the client.
func TestAPIEndpointAcceptsOnlyAllowedClients(t *testing.T) {
	s := newSandbox(t, nil)
	s.setEnvironment()
	stack := s.createClusterStack() // VPC 10.20.0.0/16
	cluster := stack.byName["cluster"]
	clusterGroup := cluster.state["vpcConfig"].(props)["clusterSecurityGroupId"].(string) // created by EKS
	runner := s.mustCreate(securityGroupT, "runner", props{"vpcId": stack.byName["vpc"].id})
	other := s.mustCreate(securityGroupT, "other", props{"vpcId": stack.byName["vpc"].id})
	s.mustCreate(ingressT, "runners", props{"securityGroupId": clusterGroup, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "referencedSecurityGroupId": runner.id})
	s.mustCreate(ingressT, "network", props{"securityGroupId": clusterGroup, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.99.0.0/16"})
	s.mustCreate(ingressT, "ssh", props{"securityGroupId": clusterGroup, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.98.0.0/16"})

	getToken := func(from string) error {
		t.Setenv(rules.RunFromVariable, from)
		return RunCLI([]string{"eks", "get-token", "--cluster-name", cluster.id, "--region", "us-east-1"}, &bytes.Buffer{}, io.Discard)
	}
	setAccess := func(private, public bool, cidrs ...any) {
		vpc := props{"subnetIds": []any{stack.byName["a"].id, stack.byName["b"].id}, "endpointPrivateAccess": private, "endpointPublicAccess": public}
		if len(cidrs) > 0 {
			vpc["publicAccessCidrs"] = cidrs
		}
		news := props{}
		for key, value := range stack.news["cluster"] {
			news[key] = value
		}
		news["vpcConfig"] = vpc
		require.NoError(t, s.update(cluster, news))
	}
	for _, tc := range []struct {
		reason, from    string
		private, public bool
		cidrs           []any
		wantError       string // empty if the client is allowed
	}{
		{"an admitted public address", "203.0.113.10", true, true, []any{"203.0.113.0/24"}, ""},
		{"the default, which is an admitted public address", "", true, true, []any{"203.0.113.0/24"}, ""},
		{"another public address", "198.51.100.7", true, true, []any{"203.0.113.0/24"}, "publicAccessCidrs (203.0.113.0/24) do not contain the client"},
		{"a public address, and the endpoint is private", "203.0.113.10", true, false, nil, "the endpoint is private"},
		{"a connected network that a rule admits", "10.99.0.10", true, false, nil, ""},
		{"a connected network that no rule admits", "10.97.0.10", true, false, nil, "do not allow the client on port 443"},
		{"a connected network that a rule admits to another port", "10.98.0.10", true, false, nil, "do not allow the client on port 443"},
		{"a connected network, where the name resolves to public addresses", "10.99.0.10", true, true, []any{"203.0.113.0/24"}, "resolves to public addresses for the client"},
		{"a runner in the VPC", "10.20.0.7," + runner.id, true, false, nil, ""},
		{"a runner in the VPC, and the endpoint is private and public", "10.20.0.7," + runner.id, true, true, []any{"203.0.113.0/24"}, ""},
		{"a runner of another group", "10.20.0.7 " + other.id, true, false, nil, "do not allow the client"},
		{"a runner without a group", "10.20.0.7", true, false, nil, "do not allow the client"},
		{"a member of EKS's own group", "10.20.0.7," + clusterGroup, true, false, nil, ""},
		{"a runner in the VPC, and the endpoint is public only", "10.20.0.7," + runner.id, false, true, []any{"203.0.113.0/24"}, "resolves to public addresses for the client"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			setAccess(tc.private, tc.public, tc.cidrs...)
			err := getToken(tc.from)
			if tc.wantError == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "dial tcp: i/o timeout")
			require.ErrorContains(t, err, tc.wantError)
		})
	}
	require.ErrorContains(t, getToken("here"), "must begin with an IPv4 address")
	require.ErrorContains(t, getToken("10.20.0.7,runners"), `"runners" must be the ID of a security group`)
	require.NoError(t, s.delete(stack.byName["cluster"]))
	require.ErrorContains(t, getToken(""), "no such host")
}

// With private DNS, the name of a service resolves to the interface endpoint in the whole VPC. So
// a runner in the VPC can't reach the service if the security groups of the endpoint do not allow
// the runner.
func TestInterfaceEndpointBlocksClientsThatItsGroupsDoNotAllow(t *testing.T) {
	for _, tc := range []struct {
		reason, from, service, rule string
		private                     bool
		refused                     bool
	}{
		{"a runner that no rule admits", "10.20.0.7", "ec2", "", true, true},
		{"a runner in a block that a rule admits", "10.20.0.7", "ec2", "10.20.0.0/20", true, false},
		{"a runner in another subnet", "10.20.16.7", "ec2", "10.20.0.0/20", true, true},
		{"an endpoint without private DNS", "10.20.0.7", "ec2", "", false, false},
		{"the endpoint of another service", "10.20.0.7", "ecr.api", "", true, false},
		{"a run outside of the VPC", "10.99.0.7", "ec2", "", true, false},
		{"a run on the internet", "203.0.113.10", "ec2", "", true, false},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			t.Setenv(rules.RunFromVariable, tc.from)
			s := newSandbox(t, nil)
			vpc := s.mustCreate(vpcT, "vpc", props{"cidrBlock": "10.20.0.0/16", "enableDnsSupport": true, "enableDnsHostnames": true})
			a := s.mustCreate(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.20.0.0/20", "availabilityZone": "us-east-1a"})
			group := s.mustCreate(securityGroupT, "group", props{"vpcId": vpc.id})
			if tc.rule != "" {
				s.mustCreate(ingressT, "https", props{"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": tc.rule})
			}
			s.mustCreate(endpointT, "endpoint", props{
				"vpcId": vpc.id, "serviceName": "com.amazonaws.us-east-1." + tc.service, "vpcEndpointType": "Interface", "privateDnsEnabled": tc.private,
				"subnetIds": []any{a.id}, "securityGroupIds": []any{group.id},
			})
			_, err := s.create(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.20.16.0/20", "availabilityZone": "us-east-1b"})
			_, stsErr := s.invoke("aws:index/getCallerIdentity:getCallerIdentity", props{})
			require.NoError(t, stsErr, "STS has no endpoint in this VPC")
			if !tc.refused {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "i/o timeout: in "+vpc.id+" the name of ec2 resolves to the interface endpoint")
		})
	}
}

// An endpoint without security groups has the default group of the VPC. That group allows
// only its members, and the runner is not a member.
func TestEndpointWithoutSecurityGroupsBlocksTheRunner(t *testing.T) {
	t.Setenv(rules.RunFromVariable, "10.21.0.7")
	s := newSandbox(t, nil)
	vpc := s.mustCreate(vpcT, "vpc", props{"cidrBlock": "10.21.0.0/16", "enableDnsSupport": true, "enableDnsHostnames": true})
	a := s.mustCreate(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.21.0.0/20", "availabilityZone": "us-east-1a"})
	s.mustCreate(endpointT, "sts", props{
		"vpcId": vpc.id, "serviceName": "com.amazonaws.us-east-1.sts", "vpcEndpointType": "Interface", "privateDnsEnabled": true, "subnetIds": []any{a.id},
	})
	_, err := s.invoke("aws:index/getCallerIdentity:getCallerIdentity", props{})
	require.ErrorContains(t, err, "the name of sts resolves to the interface endpoint")
}
