package ruleset

import (
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/tier/instancespec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// autoscalerTag is the tag by which Cluster Autoscaler finds its groups.
const autoscalerTag = "k8s.io/cluster-autoscaler/enabled"

var nodes = []*rule.Rule{
	{
		ID: "nodes-imdsv2", Title: "Nodes answer metadata requests with a session token only",
		Why: "Version 1 answers every request with the node's credentials, also one that an attacker makes a pod send.",
		Fix: "components/tier, MetadataOptions", Standards: []string{"FSBP EC2.170", "CIS AWS 5.6"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.MetadataOptions().HttpTokens().Is("required"), "metadataOptions.httpTokens is %s", v.MetadataOptions().HttpTokens().Text())
		}),
	},
	{
		ID: "nodes-metadata-hop-limit", Title: "Metadata responses do not leave the node",
		Why: "With a hop limit above 1 a pod reads the node's credentials.",
		Fix: "components/tier, MetadataOptions", Standards: []string{"FSBP AutoScaling.4"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.MetadataOptions().HttpPutResponseHopLimit().Or(1).AtMost(1), "httpPutResponseHopLimit is %s", v.MetadataOptions().HttpPutResponseHopLimit().Text())
		}),
	},
	{
		ID: "nodes-volumes-encrypted", Title: "The volumes of nodes are encrypted",
		Why: "Container images, logs and emptyDir volumes are on them.",
		Fix: "components/tier, BlockDeviceMappings", Standards: []string{"FSBP EC2.181", "CIS AWS 2.2.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.BlockDeviceMappings().IsSet(), "no volume is described, so the image's defaults apply")
			s.Must(v.BlockDeviceMappings().All(func(m awsview.Ec2LaunchTemplateBlockDeviceMapping) value.Truth {
				return m.Ebs().Encrypted().Is("true")
			}), "a volume is not encrypted")
		}),
	},
	{
		ID: "nodes-volumes-deleted", Title: "A node's volumes end with the node",
		Why: "Each replaced node would leave a volume behind that is billed for ever.",
		Fix: "components/tier, DeleteOnTermination", Standards: []string{"awsguard ec2-volume-inuse", "WA COST04"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.BlockDeviceMappings().All(func(m awsview.Ec2LaunchTemplateBlockDeviceMapping) value.Truth {
				return m.Ebs().DeleteOnTermination().Is("true")
			}), "a volume stays after its node")
		}),
	},
	{
		ID: "nodes-detailed-monitoring", Title: "Nodes send their metrics each minute",
		Why: "Alarms and scaling policies with periods of one minute would see every fifth minute only.",
		Fix: "components/tier, Monitoring", Standards: []string{"awsguard ec2-instance-detailed-monitoring-enabled"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.Monitoring().Enabled().IsTrue(), "monitoring.enabled is not true")
		}),
	},
	{
		ID: "nodes-no-public-address", Title: "Nodes have no public address",
		Why: "A node is reached through the load balancer only.",
		Fix: "components/tier, NetworkInterfaces", Standards: []string{"FSBP EC2.25", "FSBP AutoScaling.5"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(v.NetworkInterfaces().All(func(i awsview.Ec2LaunchTemplateNetworkInterface) value.Truth {
				return value.Not(i.AssociatePublicIpAddress().Is("true"))
			}), "a network interface gets a public address")
		}),
	},
	{
		ID: "nodes-no-key-pair", Title: "Nodes have no SSH key",
		Why: "A shared key has no owner and does not expire. Session Manager leaves a log.",
		Fix: "components/tier: leave KeyName out", Standards: []string{"WA SEC06"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.Ec2LaunchTemplate) {
			s.Must(value.Not(v.KeyName().IsSet()), "keyName is set")
		}),
	},
	{
		ID: "nodes-two-zones", Title: "Each Auto Scaling Group spans two zones",
		Why: "The loss of one zone would take all nodes of the tier.",
		Fix: "the key network.zones", Standards: []string{"FSBP AutoScaling.2"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(spanTwoZones(s.Graph, s.Resource, "vpcZoneIdentifiers", v.VpcZoneIdentifiers().Node), "the subnets are in fewer than two zones")
		}),
	},
	{
		ID: "nodes-several-types", Title: "Each Auto Scaling Group can take more than one instance type",
		Why: "AWS runs out of one type before it runs out of all.",
		Fix: "components/scaling, the tier's instance types", Standards: []string{"FSBP AutoScaling.6"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(v.MixedInstancesPolicy().LaunchTemplate().Overrides().Len().AtLeast(2), "fewer than two instance types")
		}),
	},
	{
		ID: "nodes-instance-type", Title: "The instance types of nodes exist and suit EKS nodes",
		Why: "AWS refuses an unknown type in the middle of an up. A type without prefix delegation has too few addresses for pods.",
		Fix: "the key tiers.NAME.instanceTypes", Standards: []string{"WA OPS06"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			if s.Type == templateType {
				instanceType := value.As[awsview.Ec2LaunchTemplate](s.View()).InstanceType()
				s.Must(value.Implies(instanceType.IsSet(), suitsNodes(instanceType)), "instanceType is %s", instanceType.Text())
				return
			}
			overrides, complete := value.As[awsview.AutoscalingGroup](s.View()).MixedInstancesPolicy().LaunchTemplate().Overrides().Items()
			if !complete {
				s.LeaveUndecided("the instance types of the group")
			}
			for _, o := range overrides {
				s.Must(value.Any(o.InstanceRequirements().IsSet(), suitsNodes(o.InstanceType())), "the instance type of an override is %s", o.InstanceType().Text())
			}
		}, templateType, awsview.AutoscalingGroup{}.Token()),
	},
	{
		ID: "nodes-launch-template", Title: "Auto Scaling Groups use a launch template",
		Why: "Launch configurations get no new features of EC2, and no IMDS settings.",
		Fix: "components/tier", Standards: []string{"FSBP AutoScaling.9"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(value.Not(v.LaunchConfiguration().IsSet()), "launchConfiguration is set")
			s.Must(value.Any(v.LaunchTemplate().Id().IsSet(), v.MixedInstancesPolicy().LaunchTemplate().LaunchTemplateSpecification().LaunchTemplateId().IsSet()),
				"no launch template is named")
		}),
	},
	{
		ID: "nodes-bounds", Title: "A group's minimum is below its maximum",
		Why: "A group at its maximum can't replace a node that drains.",
		Fix: "the key tiers.NAME.min and max", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(v.MinSize().Compare(v.MaxSize(), func(low, high float64) bool { return low < high }), "minSize %s is not below maxSize %s", v.MinSize().Text(), v.MaxSize().Text())
		}),
	},
	{
		ID: "nodes-load-balancer-health", Title: "Groups behind a load balancer use its health checks",
		Why: "EC2's own check does not see a process that hangs. On EKS the kubelet and the readiness probes do.",
		Fix: "components/tier, HealthCheckType", Standards: []string{"FSBP AutoScaling.1"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(v.HealthCheckType().Is("ELB"), "healthCheckType is %s", v.HealthCheckType().Text())
		}),
	},
	{
		ID: "nodes-capacity-left-to-autoscaler", Title: "Pulumi does not set a group's desired capacity back",
		Why: "An up would remove the nodes that the autoscaler has just added.",
		Fix: "components/tier, IgnoreChanges desiredCapacity", Standards: []string{"WA REL07"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			ignored := false
			for _, name := range s.IgnoreChanges {
				ignored = ignored || name == "desiredCapacity"
			}
			s.Must(value.Any(value.FromBool(ignored), value.Not(v.DesiredCapacity().IsSet())), "desiredCapacity is set and its changes are not ignored")
		}),
	},
	{
		ID: "nodes-one-capacity-owner", Title: "One controller changes the size of a group",
		Why: "Cluster Autoscaler's FAQ forbids a second autoscaler: that one adds nodes that no pod needs, and removes nodes with pods.",
		Fix: "components/scaling, the tier's capacity owner", Standards: []string{"WA REL07"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			autoscaled := v.Tags().Any(func(t awsview.AutoscalingGroupTag) value.Truth { return t.Key().Is(autoscalerTag) })
			policies := rule.Referrers[awsview.AutoscalingPolicy](s.Graph, s.Resource, "autoscalingGroupName")
			scaledByAlarm := policies.Any(func(r *graph.Resource, _ awsview.AutoscalingPolicy) value.Truth {
				return rule.Referrers[awsview.CloudwatchMetricAlarm](s.Graph, r, "alarmActions").Exists()
			})
			s.Must(value.Not(value.All(autoscaled, scaledByAlarm)), "Cluster Autoscaler and a scaling policy both change the number of nodes")
		}),
	},
	{
		ID: "nodes-refresh-stops", Title: "A failing instance refresh stops",
		Why: "A wrong image or a wrong setting would stop one node after the other.",
		Fix: "components/tier, refreshPreferences", Standards: []string{"WA OPS06", "WA REL08"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			preferences := v.InstanceRefresh().Preferences()
			s.Must(value.Not(preferences.AutoRollback().IsTrue()), "autoRollback is true: when a refresh fails, the group already has the new launch template version, so AWS rolls back to that version")
			s.Must(preferences.AlarmSpecification().Alarms().IsSet(), "no alarm stops a refresh")
			s.Must(preferences.CheckpointPercentages().Len().AtLeast(2), "a refresh has no checkpoint before its end")
		}),
	},
	{
		ID: "nodes-refresh-not-by-tags", Title: "A changed tag does not replace nodes",
		Why: "A new cost allocation tag would replace every node.",
		Fix: "components/tier, InstanceRefresh: leave Triggers out", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.AutoscalingGroup) {
			s.Must(value.Not(v.InstanceRefresh().Triggers().IsSet()), "triggers is set")
		}),
	},
	{
		ID: "nodes-drain-before-end", Title: "A node is drained before its termination",
		Why: "Requests that the node still answers would fail.",
		Fix: "components/tier, createDrainHook; components/terminationhandler", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.AutoscalingGroup) {
			hooks := rule.Referrers[awsview.AutoscalingLifecycleHook](s.Graph, s.Resource, "autoscalingGroupName")
			s.Must(hooks.Any(func(_ *graph.Resource, h awsview.AutoscalingLifecycleHook) value.Truth {
				return value.All(h.LifecycleTransition().Is("autoscaling:EC2_INSTANCE_TERMINATING"),
					h.HeartbeatTimeout().Or(3600).AtLeast(scaling.TerminationGrace.Seconds()))
			}), "no hook holds a node for the %s that pods have to end", scaling.TerminationGrace)
		}),
	},
}

// templateType is the type of a launch template.
var templateType = awsview.Ec2LaunchTemplate{}.Token()

// suitsNodes reports whether an instance type exists and is suitable for a node.
func suitsNodes(instanceType value.String) value.Truth {
	return instanceType.Satisfies(func(name string) bool {
		_, err := instancespec.LookupHardware(name)
		return err == nil
	})
}

// spanTwoZones reports whether the subnets of r are in at least two zones. prop is the name of the
// input that refers to the subnets, and input is the value of that input.
func spanTwoZones(g *graph.Graph, r *graph.Resource, prop string, input value.Node) value.Truth {
	subnets := rule.Refs[awsview.Ec2Subnet](g, r, prop)
	if len(subnets.Resources) == 0 {
		return value.All(input.IsSet(), value.Unknown) // the subnets belong to another stack, so their zones are unknown
	}
	return value.Not(subnets.All(func(_ *graph.Resource, subnet awsview.Ec2Subnet) value.Truth {
		return subnet.AvailabilityZone().Equals(value.As[awsview.Ec2Subnet](subnets.Resources[0].View()).AvailabilityZone())
	}))
}
