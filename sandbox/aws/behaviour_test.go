package aws

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// updateDirect changes a property of an object outside of Pulumi, as a user of the AWS console
// would.
func (s *sandbox) updateDirect(r *resource, path string, value any) {
	s.t.Helper()
	require.NoError(s.t, rules.UpdateDirect(s.t.Context(), s.p.store, r.token, r.id, []rules.Assignment{{Path: path, Value: value}}))
}

func TestDiffShowsUpdatesAndReplacements(t *testing.T) {
	f := newFixture(t)
	s := f.s
	group := s.mustCreate(securityGroupT, "g", props{"vpcId": f.vpc.id, "name": "g", "description": "d", "ingress": []any{
		props{"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": []any{"10.0.0.0/8"}},
		props{"protocol": "tcp", "fromPort": 81, "toPort": 81, "self": true},
	}})
	rule := s.mustCreate(ingressT, "r", props{"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"})
	const (
		same    = ""
		update  = "UPDATE"
		replace = "UPDATE_REPLACE"
	)
	for _, row := range []struct {
		reason   string
		resource *resource
		news     props
		path     string
		kind     string
	}{
		{"nothing changed", f.vpc, props{"cidrBlock": "10.30.0.0/16"}, "", same},
		{"the program sets the default value", f.vpc, props{"cidrBlock": "10.30.0.0/16", "instanceTenancy": "default", "enableDnsSupport": true}, "", same},
		{"a change in place", f.vpc, props{"cidrBlock": "10.30.0.0/16", "enableDnsSupport": false}, "enableDnsSupport", update},
		{"another range replaces the VPC", f.vpc, props{"cidrBlock": "10.40.0.0/16"}, "cidrBlock", replace},
		{"dedicated tenancy replaces the VPC", f.vpc, props{"cidrBlock": "10.30.0.0/16", "instanceTenancy": "dedicated"}, "instanceTenancy", replace},
		{"a new tag", f.vpc, props{"cidrBlock": "10.30.0.0/16", "tags": props{"a": "b"}}, "tags", "ADD"},
		{"the zone that AWS chose, given by the program", f.a, props{"vpcId": f.vpc.id, "cidrBlock": "10.30.0.0/24"}, "", same},
		{"another zone replaces a subnet", f.a, props{"vpcId": f.vpc.id, "cidrBlock": "10.30.0.0/24", "availabilityZone": "us-east-1c"}, "availabilityZone", replace},
		{"a subnet is replaced with its VPC", f.a, props{"vpcId": wire.Unknown{}, "cidrBlock": "10.30.0.0/24"}, "vpcId", replace},
		{"inline rules in another order and another spelling", group, props{"vpcId": f.vpc.id, "name": "g", "description": "d", "ingress": []any{
			props{"protocol": "tcp", "fromPort": 81, "toPort": 81, "self": true},
			props{"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": []any{"10.0.0.0/8"}, "self": false},
		}}, "", same},
		{"one inline rule fewer", group, props{"vpcId": f.vpc.id, "name": "g", "description": "d", "ingress": []any{
			props{"protocol": "tcp", "fromPort": 81, "toPort": 81, "self": true},
		}}, "ingress", update},
		{"a protocol by its number", rule, props{"securityGroupId": group.id, "ipProtocol": "6", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/8"}, "", same},
		{"a rule's range in place", rule, props{"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.1.0.0/16"}, "cidrIpv4", update},
		{"another kind of source replaces a rule", rule, props{"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "referencedSecurityGroupId": f.group.id}, "referencedSecurityGroupId", "ADD_REPLACE"},
		{"a policy with other white space", f.clusterRole, props{"name": "control-plane", "assumeRolePolicy": strings.ReplaceAll(strings.ReplaceAll(eksTrust, ":", " : "), "sts : ", "sts:")}, "", same},
		{"another trust policy", f.clusterRole, props{"name": "control-plane", "assumeRolePolicy": podTrust}, "assumeRolePolicy", update},
		{"a generated name replaces the name of the program", f.podRole, props{"assumeRolePolicy": podTrust}, "name", replace},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := s.diff(row.resource, row.news)
			if row.kind == same {
				require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, d.GetChanges(), "%v", d.GetDetailedDiff())
				return
			}
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, d.GetChanges())
			require.Contains(t, d.GetDetailedDiff(), row.path)
			require.Equal(t, row.kind, d.GetDetailedDiff()[row.path].GetKind().String())
			require.Equal(t, strings.HasSuffix(row.kind, "_REPLACE"), len(d.GetReplaces()) > 0)
		})
	}
}

func TestGivenNameRequiresDeletionBeforeReplacement(t *testing.T) {
	f := newFixture(t)
	withGeneratedName := f.s.mustCreate(securityGroupT, "generated", props{"vpcId": f.vpc.id, "description": "one"})
	require.False(t, f.s.diff(withGeneratedName, props{"vpcId": f.vpc.id, "description": "two"}).GetDeleteBeforeReplace(), "the replacement gets another generated name")
	withGivenName := f.s.mustCreate(securityGroupT, "given", props{"vpcId": f.vpc.id, "name": "given", "description": "one"})
	require.True(t, f.s.diff(withGivenName, props{"vpcId": f.vpc.id, "name": "given", "description": "two"}).GetDeleteBeforeReplace(), "two groups can't have the same name")
}

func TestRefreshShowsDriftAndUpdateRemovesIt(t *testing.T) {
	f := newFixture(t)
	s := f.s
	news := props{"cidrBlock": "10.30.0.0/16"}
	s.updateDirect(f.vpc, "enableDnsSupport", false)
	s.updateDirect(f.vpc, "tags.Owner", "me")
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(f.vpc, news).GetChanges(), "the engine does not see the change before a refresh")
	require.True(t, s.refresh(f.vpc))
	d := s.diff(f.vpc, news)
	require.Contains(t, d.GetDetailedDiff(), "enableDnsSupport", "a property that the program does not set")
	require.Contains(t, d.GetDetailedDiff(), "tags")
	require.NoError(t, s.update(f.vpc, news))
	require.True(t, s.refresh(f.vpc))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(f.vpc, news).GetChanges())
	require.Equal(t, true, f.vpc.state["enableDnsSupport"])

	require.NoError(t, rules.DeleteDirect(t.Context(), s.p.store, f.group.token, f.group.id))
	require.False(t, s.refresh(f.group), "a deleted object has no id")
	require.ErrorContains(t, s.update(f.group, props{"vpcId": f.vpc.id, "name": "web", "tags": props{"a": "b"}}), "InvalidGroup.NotFound")
}

func TestDriftIsCheckedAgainstTheSchema(t *testing.T) {
	f := newFixture(t)
	for _, row := range []struct {
		reason, path string
		value        any
		want         string
	}{
		{"another type", "enableDnsSupport", "no", "must be true or false"},
		{"no such property", "colour", "red", "no property"},
		{"no such value", "instanceTenancy", "huge", "one of"},
	} {
		err := rules.UpdateDirect(t.Context(), f.s.p.store, vpcT, f.vpc.id, []rules.Assignment{{Path: row.path, Value: row.value}})
		require.ErrorContains(t, err, row.want, row.reason)
	}
	err := rules.UpdateDirect(t.Context(), f.s.p.store, vpcT, "vpc-0", nil)
	require.ErrorContains(t, err, f.vpc.id, "the error lists the existing ids")
}

func TestIgnoredPropertyKeepsItsValue(t *testing.T) {
	f := newFixture(t)
	s := f.s
	in := props{"cidrBlock": "10.30.0.0/16", "tags": props{"a": "b"}}
	require.NoError(t, s.update(f.vpc, in))
	s.updateDirect(f.vpc, "enableDnsSupport", false)
	require.True(t, s.refresh(f.vpc))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(f.vpc, in, "enableDnsSupport").GetChanges())
	in["tags"] = props{"a": "c"}
	require.NoError(t, s.update(f.vpc, in, "enableDnsSupport"))
	require.Equal(t, false, f.vpc.state["enableDnsSupport"], "an update of another property keeps the ignored one")
	require.Equal(t, props{"a": "c"}, f.vpc.state["tags"])
}

func TestGeneratedNamesStayTheSame(t *testing.T) {
	s := newSandbox(t, nil)
	in := props{"assumeRolePolicy": podTrust}
	role := s.mustCreate(roleT, "worker", in)
	require.Regexp(t, `^worker-[0-9a-f]{7}$`, role.id)
	in["description"] = "changed"
	require.NoError(t, s.update(role, in))
	require.Equal(t, role.id, role.state["name"], "a generated name stays")
	secondCheck, _ := s.check(roleT, "worker", nil, in)
	require.Equal(t, role.id, secondCheck["name"], "the same random seed gives the same name, so a preview shows the final name")
	prefixed := s.mustCreate(roleT, "p", props{"assumeRolePolicy": podTrust, "namePrefix": "web-"})
	require.Regexp(t, `^web-\d{18}[0-9a-f]{8}$`, prefixed.id)
	_, failures := s.check(roleT, strings.Repeat("x", 60), nil, in)
	require.Contains(t, strings.Join(failures, " "), "too long", "a generated name is not cut")
	for mode, want := range map[pulumirpc.CheckRequest_AutonamingOptions_Mode]string{
		pulumirpc.CheckRequest_AutonamingOptions_ENFORCE: "proposed",
		pulumirpc.CheckRequest_AutonamingOptions_PROPOSE: "proposed",
	} {
		res, err := s.p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(roleT, "r"), News: s.encode(in),
			Autonaming: &pulumirpc.CheckRequest_AutonamingOptions{ProposedName: "proposed", Mode: mode}})
		require.NoError(t, err)
		require.Equal(t, want, wire.Decode(res.GetInputs())["name"])
	}
	res, err := s.p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(roleT, "r"), News: s.encode(in),
		Autonaming: &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE}})
	require.NoError(t, err)
	require.Len(t, res.GetFailures(), 1, "without autonaming the program must give the name")
}

func TestDefaultTagsAreMergedIntoTagsAll(t *testing.T) {
	configWithTags := func(json string) props { return props{"region": "us-east-1", "defaultTags": `{"tags":` + json + `}`} }
	s := newSandbox(t, configWithTags(`{"Project":"p","Stack":"s"}`))
	in := props{"cidrBlock": "10.0.0.0/16", "tags": props{"Stack": "own"}}
	vpc := s.mustCreate(vpcT, "v", in)
	require.Equal(t, props{"Stack": "own"}, vpc.state["tags"])
	require.Equal(t, props{"Project": "p", "Stack": "own"}, vpc.state["tagsAll"])
	s.p = s.newProvider(configWithTags(`{"Project":"q"}`))
	d := s.diff(vpc, in)
	require.Contains(t, d.GetDetailedDiff(), "tagsAll", "a change of the default tags changes every resource")
	require.NotContains(t, d.GetDetailedDiff(), "tags")
	require.NoError(t, s.update(vpc, in))
	require.Equal(t, props{"Project": "q", "Stack": "own"}, vpc.state["tagsAll"])
	unknown, failures := s.check(vpcT, "u", nil, props{"cidrBlock": "10.0.0.0/16", "tags": props{"a": wire.Unknown{}}})
	require.Empty(t, failures)
	require.Equal(t, wire.Unknown{}, unknown["tagsAll"])
}

func TestPreviewShowsUnknownValuesAndChangesNothing(t *testing.T) {
	s := newSandbox(t, nil)
	in, failures := s.check(subnetT, "a", nil, props{"vpcId": wire.Unknown{}, "cidrBlock": "10.0.0.0/24"})
	require.Empty(t, failures, "an unknown value is not refused")
	created, err := s.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(subnetT, "a"), Properties: s.encode(in), Preview: true})
	require.NoError(t, err)
	out := wire.Decode(created.GetProperties())
	require.Empty(t, created.GetId())
	require.Equal(t, wire.Unknown{}, out["arn"], "AWS computes it")
	require.Equal(t, wire.Unknown{}, out["availabilityZone"], "AWS chooses it")
	require.Equal(t, wire.Unknown{}, out["vpcId"])
	require.Equal(t, "10.0.0.0/24", out["cidrBlock"])
	require.Equal(t, false, out["mapPublicIpOnLaunch"], "a default is known")
	require.Zero(t, s.objectCount(), "a preview creates nothing")

	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	in, _ = s.check(vpcT, "v", vpc.in, props{"cidrBlock": "10.0.0.0/16", "enableDnsSupport": false})
	changed, err := s.p.Update(t.Context(), &pulumirpc.UpdateRequest{
		Id: vpc.id, Urn: urn(vpcT, "v"), Olds: s.encode(vpc.state), News: s.encode(in), Preview: true,
	})
	require.NoError(t, err)
	out = wire.Decode(changed.GetProperties())
	require.Equal(t, vpc.state["arn"], out["arn"], "a change keeps what AWS computed")
	require.Equal(t, false, out["enableDnsSupport"])
	require.True(t, s.refresh(vpc))
	require.Equal(t, true, vpc.state["enableDnsSupport"], "a preview changes nothing")
}

func TestImportedResourceHasNoDiff(t *testing.T) {
	f := newFixture(t)
	s := f.s
	subnet := &resource{token: subnetT, name: "imported", id: f.a.id}
	require.True(t, s.refresh(subnet))
	require.Equal(t, f.vpc.id, subnet.in["vpcId"])
	require.Equal(t, "us-east-1a", subnet.in["availabilityZone"])
	require.NotContains(t, subnet.in, "mapPublicIpOnLaunch", "an import leaves out a property with its default value")
	require.NotContains(t, subnet.in, "arn", "an output is not an input")
	require.NotContains(t, subnet.in, "availabilityZoneId", "a program can't give the zone by name and by id")
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(subnet, subnet.in).GetChanges())
}

func TestReadShowsAssociatedResources(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createClusterStack()
	require.NotContains(t, stack.byName["private"].state, "routes")
	for _, name := range []string{"private", "group", "control-plane", "address", "flow"} {
		require.True(t, s.refresh(stack.byName[name]))
	}
	require.Equal(t, []any{props{"cidrBlock": "0.0.0.0/0", "natGatewayId": stack.byName["nat"].id}}, stack.byName["private"].state["routes"])
	require.Len(t, stack.byName["group"].state["ingress"], 1)
	require.Equal(t, []any{clusterPolicyARN}, stack.byName["control-plane"].state["managedPolicyArns"])
	require.Equal(t, stack.byName["nat"].state["privateIp"], stack.byName["address"].state["privateIp"])
}

func TestProcessesShareTheStore(t *testing.T) {
	s := newSandbox(t, nil)
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	firstProvider := s.p
	s.p = s.newProvider(nil)
	s.mustCreate(subnetT, "a", props{"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
	s.p = firstProvider
	_, err := s.create(subnetT, "b", props{"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
	require.ErrorContains(t, err, "InvalidSubnet.Conflict")
	s.p = s.newProvider(props{"region": "eu-west-1"})
	_, err = s.create(subnetT, "c", props{"vpcId": vpc.id, "cidrBlock": "10.0.1.0/24"})
	require.ErrorContains(t, err, "InvalidVpcID.NotFound", "a VPC exists only in its region")
	s.mustCreate(roleT, "r", props{"name": "one", "assumeRolePolicy": podTrust})
	s.p = firstProvider
	_, err = s.create(roleT, "r", props{"name": "one", "assumeRolePolicy": podTrust})
	require.ErrorContains(t, err, "EntityAlreadyExists", "a role exists in all regions of the account")
}
