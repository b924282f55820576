package cost

import (
	"github.com/progressive-framework/platform/components/cluster/ekscalendar"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// detailedMetrics is the number of metrics of an instance with detailed monitoring
// (Amazon CloudWatch User Guide, "Enable or turn off detailed monitoring").
const detailedMetrics = 7

// addEKSCluster adds the hours of a cluster. An hour costs more if the standard support of the
// cluster's version has ended.
func addEKSCluster(b billing, v awsview.EksCluster) {
	if mayBeTrue(v.ComputeConfig().Enabled().IsTrue()) {
		b.addUnpriced("eks:auto-mode", noRow)
	}
	version := readString(v.Version())
	if !version.ok() {
		b.addUndecided("eks:standard", "version", version.problem)
		return
	}
	support, known := ekscalendar.ForVersion(version.value)
	if !known {
		b.addUndecided("eks:standard", "version", "is "+version.value+", whose end of support is not known")
		return
	}
	if b.estimator.now.IsZero() || b.estimator.now.Before(support.End(false)) {
		b.addHourly("eks:standard", 1)
		return
	}
	// With the policy EXTENDED, a cluster keeps its version after standard support, at the higher
	// price. With STANDARD, EKS upgrades the cluster, and the standard price applies.
	switch policy := readStringOr(v.UpgradePolicy().SupportType(), "EXTENDED"); {
	case !policy.ok():
		b.addUndecided("eks:extended", "upgradePolicy.supportType", policy.problem)
	case policy.value == "EXTENDED":
		b.addHourly("eks:extended", 1)
	default:
		b.addHourly("eks:standard", 1)
	}
}

// addAutoScalingGroup adds a group's instances at the on-demand price, their volumes and their
// metrics. Each has three amounts: for the group's minimum, desired and maximum size.
func addAutoScalingGroup(b billing, v awsview.AutoscalingGroup) {
	template := findLaunchTemplate(b)
	instanceType := firstInstanceType(v, template)
	sku := "ec2" // the instance type is not known
	if instanceType.ok() {
		sku += ":" + instanceType.value
	} else {
		b.addUndecided("", "the instance type", instanceType.problem)
	}
	minimum, maximum := readInteger(v.MinSize()), readInteger(v.MaxSize())
	desired := readIntegerOr(v.DesiredCapacity(), minimum.value) // AWS starts a group at its minimum
	for _, size := range []struct {
		input string
		reading[int64]
	}{{"minSize", minimum}, {"maxSize", maximum}, {"desiredCapacity", desired}} {
		if !size.ok() {
			b.addUndecided(sku, size.input, size.problem)
			return
		}
	}
	// A maximum below the minimum is an error. Then all three amounts are those of the minimum.
	largest := max(minimum.value, maximum.value)
	size := Quantity{minimum.value, min(max(desired.value, minimum.value), largest), largest}
	if instanceType.ok() {
		b.addLine(sku, Scaled, size.times(HoursPerMonth))
	}
	if template == nil {
		b.addUndecided("ebs:gp3", "the launch template", notKnown)
		return
	}
	launchTemplateView := value.As[awsview.Ec2LaunchTemplate](template.View())
	addVolumes(b, launchTemplateView, size)
	switch monitored := readBool(launchTemplateView.Monitoring().Enabled()); {
	case !monitored.ok():
		b.addUndecided("cloudwatch:metric", "the launch template's monitoring.enabled", monitored.problem)
	case monitored.value:
		b.addLine("cloudwatch:metric", Scaled, size.times(detailedMetrics))
	}
}

// times returns the quantity multiplied by n.
func (q Quantity) times(n int64) Quantity { return Quantity{q.Min * n, q.Expected * n, q.Max * n} }

// findLaunchTemplate returns the launch template to which a group refers, or nil if there is none.
func findLaunchTemplate(b billing) *graph.Resource {
	for _, input := range []string{"mixedInstancesPolicy", "launchTemplate"} {
		if templates := b.estimator.graph.Refs(b.resource, input, (awsview.Ec2LaunchTemplate{}).Token()).Resources; len(templates) > 0 {
			return templates[0]
		}
	}
	return nil
}

// firstInstanceType returns the instance type that a group starts first: the type of the first
// override, or else the type of the group's launch template.
func firstInstanceType(v awsview.AutoscalingGroup, template *graph.Resource) reading[string] {
	overrides := v.MixedInstancesPolicy().LaunchTemplate().Overrides()
	if n := readLength(overrides); n.problem == notKnown {
		return reading[string]{problem: notKnown}
	}
	if first := readString(overrides.First().InstanceType()); first.problem != notSet {
		return first
	}
	if template == nil {
		return reading[string]{problem: notKnown}
	}
	return readString(value.As[awsview.Ec2LaunchTemplate](template.View()).InstanceType())
}

// addVolumes adds the volumes of a group's instances.
func addVolumes(b billing, t awsview.Ec2LaunchTemplate, size Quantity) {
	mappings, complete := t.BlockDeviceMappings().Items()
	if !complete {
		b.addUndecided("ebs:gp3", "the launch template's blockDeviceMappings", notKnown)
		return
	}
	if len(mappings) == 0 {
		b.addUndecided("ebs:gp3", "the launch template's blockDeviceMappings", notSet+", so that the image decides")
		return
	}
	for _, m := range mappings {
		kind := readStringOr(m.Ebs().VolumeType(), "gp2") // EC2's default
		gib := readInteger(m.Ebs().VolumeSize())
		switch {
		case !kind.ok():
			b.addUndecided("", "the launch template's volumeType", kind.problem)
		case !gib.ok():
			b.addUndecided("ebs:"+kind.value, "the launch template's volumeSize", gib.problem)
		default:
			b.addLine("ebs:"+kind.value, Scaled, size.times(gib.value))
		}
		// The price table has no row for IOPS or throughput above those that a volume includes.
		if mayBeTrue(m.Ebs().Iops().IsSet()) {
			b.addUnpriced("ebs:iops", noRow)
		}
		if mayBeTrue(m.Ebs().Throughput().IsSet()) {
			b.addUnpriced("ebs:throughput", noRow)
		}
	}
}
