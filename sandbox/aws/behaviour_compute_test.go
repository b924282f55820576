package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// preview returns the properties that a preview of an update shows for a resource. news are the
// new inputs.
func (s *sandbox) preview(r *resource, news props) props {
	s.t.Helper()
	checked, failures := s.check(r.token, r.name, r.in, news)
	require.Empty(s.t, failures)
	res, err := s.p.Update(s.t.Context(), &pulumirpc.UpdateRequest{
		Id: r.id, Urn: urn(r.token, r.name), Type: r.token, Olds: s.encode(r.state), News: s.encode(checked), OldInputs: s.encode(r.in), Preview: true,
	})
	require.NoError(s.t, err)
	return wire.Decode(res.GetProperties())
}

func TestUpdateKeepsDesiredCapacityWithinLimits(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	group, in := stack.byName["group"], stack.news["group"]
	require.Equal(t, 2.0, group.state["desiredCapacity"], "the default is minSize")
	s.updateDirect(group, "desiredCapacity", 5.0)
	require.NoError(t, s.update(group, with(in, props{"defaultInstanceWarmup": 90})))
	require.Equal(t, 5.0, group.state["desiredCapacity"], "an update of another property keeps the desired capacity")
	require.True(t, s.refresh(group))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(group, with(in, props{"defaultInstanceWarmup": 90})).GetChanges())
	require.NoError(t, s.update(group, with(in, props{"maxSize": 4})))
	require.Equal(t, 4.0, group.state["desiredCapacity"], "a new maximum below the desired capacity lowers the desired capacity")
	require.NoError(t, s.update(group, with(in, props{"minSize": 6})))
	require.Equal(t, 6.0, group.state["desiredCapacity"], "a new minimum above the desired capacity raises the desired capacity")
}

func TestIgnoredDesiredCapacityIsKept(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	in := with(stack.news["mixed"], props{"desiredCapacity": 1})
	group := s.mustCreate(scalingGroupT, "ignoring", in)
	s.updateDirect(group, "desiredCapacity", 3.0)
	in = with(in, props{"defaultCooldown": 60})
	require.NoError(t, s.update(group, in, "desiredCapacity"), "an update before a refresh, while the state still has the old size")
	require.Equal(t, 3.0, group.state["desiredCapacity"])
	require.True(t, s.refresh(group))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(group, in, "desiredCapacity").GetChanges())
	require.Contains(t, s.diff(group, in).GetDetailedDiff(), "desiredCapacity", "the size is a difference if it is not ignored")
	require.NoError(t, s.update(group, in))
	require.Equal(t, 1.0, group.state["desiredCapacity"])
}

func TestChangedTemplateGetsANewVersion(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	template, in := stack.byName["template"], stack.news["template"]
	require.Equal(t, []any{1.0, 1.0}, []any{template.state["latestVersion"], template.state["defaultVersion"]})
	changed := with(in, props{"instanceType": "m7g.xlarge"})
	previewed := s.preview(template, changed)
	require.Equal(t, wire.Unknown{}, previewed["latestVersion"], "the preview must show a change in resources that use the version")
	require.Equal(t, wire.Unknown{}, previewed["defaultVersion"])
	require.NoError(t, s.update(template, changed))
	require.Equal(t, []any{2.0, 2.0}, []any{template.state["latestVersion"], template.state["defaultVersion"]})
	require.NoError(t, s.update(template, with(changed, props{"tags": props{"a": "b"}})))
	require.Equal(t, 2.0, template.state["latestVersion"], "a change of tags creates no version")
	require.NoError(t, s.update(template, with(changed, props{"updateDefaultVersion": nil, "ebsOptimized": "false"})))
	require.Equal(t, []any{3.0, 2.0}, []any{template.state["latestVersion"], template.state["defaultVersion"]}, "the default version stays the same without updateDefaultVersion")
	require.NoError(t, s.update(template, with(changed, props{"updateDefaultVersion": nil, "ebsOptimized": "false", "defaultVersion": 1})))
	require.Equal(t, []any{3.0, 1.0}, []any{template.state["latestVersion"], template.state["defaultVersion"]})
	require.True(t, s.refresh(template))
}

func TestChangedTemplateOfAGroupStartsAnInstanceRefresh(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	template, group, in := stack.byName["template"], stack.byName["group"], stack.news["group"]
	require.NoError(t, s.update(template, with(stack.news["template"], props{"instanceType": "m7g.xlarge"})))
	require.Empty(t, s.instanceRefreshes(group.id), "a new version that no group uses starts no refresh")
	in = with(in, props{"launchTemplate": props{"id": template.id, "version": "2"}})
	require.NoError(t, s.update(group, in))
	require.Len(t, s.instanceRefreshes(group.id), 1)
	require.Equal(t, "Successful", s.instanceRefreshes(group.id)[0].State["status"])
	require.NoError(t, s.update(group, with(in, props{"maxSize": 7, "tags": nil})))
	require.Len(t, s.instanceRefreshes(group.id), 1, "a change of sizes or tags starts none")

	latest := s.mustCreate(scalingGroupT, "latest", with(in, props{
		"launchTemplate": props{"id": template.id, "version": "$Latest"}, "instanceRefresh": props{"strategy": "Rolling", "triggers": []any{"tag"}},
	}))
	require.NoError(t, s.update(template, with(stack.news["template"], props{"instanceType": "m7g.large"})))
	require.True(t, s.refresh(latest))
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(latest, with(in, props{
		"launchTemplate": props{"id": template.id, "version": "$Latest"}, "instanceRefresh": props{"strategy": "Rolling", "triggers": []any{"tag"}},
	})).GetChanges(), "$Latest stays $Latest: a new version is not a difference, and nothing is refreshed")
	require.NoError(t, s.update(latest, with(in, props{
		"launchTemplate": props{"id": template.id, "version": "$Latest"}, "instanceRefresh": props{"strategy": "Rolling", "triggers": []any{"tag"}}, "tags": nil,
	})))
	require.Len(t, s.instanceRefreshes(latest.id), 1, "a change of tags is a trigger of this group")
	require.NoError(t, s.delete(latest))
	require.Empty(t, s.instanceRefreshes(latest.id), "the record is deleted with its group")
}

func TestIPv6BlockIsUnknownInPreview(t *testing.T) {
	s := newSandbox(t, nil)
	in, failures := s.check(vpcT, "v", nil, props{"cidrBlock": "10.0.0.0/16", "assignGeneratedIpv6CidrBlock": true})
	require.Empty(t, failures)
	created, err := s.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(vpcT, "v"), Properties: s.encode(in), Preview: true})
	require.NoError(t, err)
	require.Equal(t, wire.Unknown{}, wire.Decode(created.GetProperties())["ipv6CidrBlock"])

	vpc := s.mustCreate(vpcT, "later", props{"cidrBlock": "10.0.0.0/16"})
	withIPv6 := props{"cidrBlock": "10.0.0.0/16", "assignGeneratedIpv6CidrBlock": true}
	require.Equal(t, wire.Unknown{}, s.preview(vpc, withIPv6)["ipv6CidrBlock"], "a VPC that gets IPv6 later")
	require.NoError(t, s.update(vpc, withIPv6))
	block := vpc.state["ipv6CidrBlock"]
	require.Regexp(t, `::/56$`, block)
	require.Equal(t, block, s.preview(vpc, with(withIPv6, props{"enableDnsSupport": false}))["ipv6CidrBlock"], "a later update keeps the block")
}

func TestUpdateDoesNotAdoptAssociatedResources(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	acl := stack.byName["list"]
	require.True(t, s.refresh(acl))
	require.Len(t, acl.state["subnetIds"], 1)
	require.NoError(t, s.update(acl, with(stack.news["list"], props{"tags": props{"a": "b"}})))
	require.NoError(t, s.delete(stack.byName["list-a"]))
	require.NoError(t, s.delete(stack.byName["in"]))
	require.True(t, s.refresh(acl))
	require.Empty(t, acl.state["subnetIds"], "the update must not add the associated subnet to the inline subnets of the network ACL")
	require.Empty(t, acl.state["ingress"])
	require.Len(t, acl.state["egress"], 1)
}

func TestChangesOfComputeUpdateOrReplace(t *testing.T) {
	s := newSandbox(t, nil)
	stack := s.createComputeStack()
	for _, row := range []struct {
		reason, name string
		change       props
		path         string
		replace      bool
	}{
		{"targets on another port", "targets", props{"port": 8081}, "port", true},
		{"targets with another check", "targets", props{"healthCheck": props{"path": "/"}}, "healthCheck.path", false},
		{"an internal load balancer", "balancer", props{"internal": true}, "internal", true},
		{"a load balancer with other groups", "balancer", props{"securityGroups": []any{stack.byName["tier"].id}}, "securityGroups", false},
		{"a listener with another policy", "https", props{"sslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}, "sslPolicy", false},
		{"a rule with another priority", "canaries", props{"priority": 11}, "priority", false},
		{"a group with another template", "group", props{"launchTemplate": props{"id": stack.byName["template"].id, "version": "$Latest"}, "instanceRefresh": nil}, "launchTemplate.version", false},
		{"a rule of a network ACL", "in", props{"fromPort": 80}, "fromPort", true},
		{"a policy of another group", "simple", props{"autoscalingGroupName": stack.byName["mixed"].id}, "autoscalingGroupName", true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			d := s.diff(stack.byName[row.name], with(stack.news[row.name], row.change))
			require.Contains(t, d.GetDetailedDiff(), row.path)
			require.Equal(t, row.replace, len(d.GetReplaces()) > 0)
		})
	}
}

func TestPrefixListIsFoundByNameAndID(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:ec2/getManagedPrefixList:getManagedPrefixList"
	list, err := s.invoke(token, props{"name": "com.amazonaws.global.cloudfront.origin-facing"})
	require.NoError(t, err)
	require.Equal(t, "pl-3b927c52", list["id"])
	byID, err := s.invoke(token, props{"id": list["id"]})
	require.NoError(t, err)
	require.Equal(t, list["name"], byID["name"])
	regional, err := s.invoke(token, props{"name": "com.amazonaws.us-east-1.s3"})
	require.NoError(t, err)
	vpc := s.mustCreate(vpcT, "v", props{"cidrBlock": "10.0.0.0/16"})
	endpoint := s.mustCreate(endpointT, "s3", props{"vpcId": vpc.id, "serviceName": "com.amazonaws.us-east-1.s3"})
	require.Equal(t, regional["id"], endpoint.state["prefixListId"], "the endpoint has the list's id")
	_, err = s.invoke(token, props{"name": "com.amazonaws.eu-west-1.s3"})
	require.ErrorContains(t, err, "0 EC2 Managed Prefix Lists matched")
}

func TestImageParameterHasTheImageOfItsRelease(t *testing.T) {
	s := newSandbox(t, nil)
	const token = "aws:ssm/getParameter:getParameter"
	recommendedImage := func(version, architecture string) props {
		return props{"name": "/aws/service/eks/optimized-ami/" + version + "/amazon-linux-2023/" + architecture + "/standard/recommended/image_id"}
	}
	armImage, err := s.invoke(token, recommendedImage("1.34", "arm64"))
	require.NoError(t, err)
	require.Regexp(t, `^ami-[0-9a-f]{17}$`, armImage["insecureValue"])
	require.Equal(t, armImage["insecureValue"], armImage["value"])
	res, err := s.p.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: token, Args: s.encode(recommendedImage("1.34", "arm64"))})
	require.NoError(t, err)
	require.NotNil(t, res.GetReturn().GetFields()["value"].GetStructValue(), "every parameter is marked as a secret, even a public one")
	sameImage, err := s.invoke(token, recommendedImage("1.34", "arm64"))
	require.NoError(t, err)
	require.Equal(t, armImage, sameImage, "the value is the same in every run")
	intelImage, err := s.invoke(token, recommendedImage("1.34", "x86_64"))
	require.NoError(t, err)
	require.NotEqual(t, armImage["insecureValue"], intelImage["insecureValue"])
	_, err = s.invoke(token, recommendedImage("1.20", "arm64"))
	require.ErrorContains(t, err, "ParameterNotFound")
	_, err = s.invoke(token, props{"name": "/my/parameter"})
	require.ErrorContains(t, err, "the stand-in supports")

	releaseImage := func(architecture, version, date string) props {
		return props{"name": "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-" + architecture +
			"-standard-" + version + "-v" + date + "/image_id"}
	}
	newRelease, err := s.invoke(token, releaseImage("arm64", "1.34", "20260923"))
	require.NoError(t, err)
	oldRelease, err := s.invoke(token, releaseImage("arm64", "1.34", "20260625"))
	require.NoError(t, err)
	require.NotEqual(t, newRelease["insecureValue"], oldRelease["insecureValue"], "each release has its own image")
	for _, wrong := range []props{releaseImage("x86_64", "1.34", "20260923"), releaseImage("arm64", "1.35", "20260923"), releaseImage("arm64", "1.34", "20260924")} {
		_, err = s.invoke(token, wrong)
		require.ErrorContains(t, err, "ParameterNotFound", wrong["name"])
	}
}
