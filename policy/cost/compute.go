package cost

import (
	"strings"

	"github.com/progressive-framework/platform/components/cluster/ekscalendar"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/value"
)

// detailedMetrics is the number of metrics of an instance with detailed monitoring
// (Amazon CloudWatch User Guide, "Enable or turn off detailed monitoring").
const detailedMetrics = 7

// eksCluster adds the hours of a cluster. They cost more for a version whose standard
// support has ended.
func eksCluster(i item, v awsview.EksCluster) {
	if possible(v.ComputeConfig().Enabled().IsTrue()) {
		i.unpriced("eks:auto-mode", noRow)
	}
	version := text(v.Version())
	if !version.ok() {
		i.undecided("eks:standard", "version", version.problem)
		return
	}
	support, known := ekscalendar.ForVersion(version.value)
	if !known {
		i.undecided("eks:standard", "version", "is "+version.value+", whose end of support is not known")
		return
	}
	if i.e.now.IsZero() || i.e.now.Before(support.End(false)) {
		i.hourly("eks:standard", 1)
		return
	}
	// EKS keeps a version after its standard support, at the higher price, unless the policy
	// is STANDARD. Then EKS upgrades the cluster.
	switch policy := textOr(v.UpgradePolicy().SupportType(), "EXTENDED"); {
	case !policy.ok():
		i.undecided("eks:extended", "upgradePolicy.supportType", policy.problem)
	case policy.value == "EXTENDED":
		i.hourly("eks:extended", 1)
	default:
		i.hourly("eks:standard", 1)
	}
}

// autoScalingGroup adds a group's instances on demand, their volumes and their metrics,
// for its minimum, desired and maximum size.
func autoScalingGroup(i item, v awsview.AutoscalingGroup) {
	template := launchTemplate(i)
	instanceType := instanceTypeOf(v, template)
	sku := "ec2:" + instanceType.value
	if !instanceType.ok() {
		i.undecided("", "the instance type", instanceType.problem)
	}
	low, high := whole(v.MinSize()), whole(v.MaxSize())
	desired := wholeOr(v.DesiredCapacity(), low.value) // AWS starts with the minimum
	for _, size := range []struct {
		input string
		reading[int64]
	}{{"minSize", low}, {"maxSize", high}, {"desiredCapacity", desired}} {
		if !size.ok() {
			i.undecided(strings.TrimSuffix(sku, ":"), size.input, size.problem)
			return
		}
	}
	top := max(low.value, high.value)
	size := Quantity{low.value, min(max(desired.value, low.value), top), top}
	if instanceType.ok() {
		i.line(sku, Scaled, size.times(HoursPerMonth))
	}
	if template == nil {
		i.undecided("ebs:gp3", "the launch template", notKnown)
		return
	}
	t := value.As[awsview.Ec2LaunchTemplate](template.View())
	volumes(i, t, size)
	switch monitored := truth(t.Monitoring().Enabled()); {
	case !monitored.ok():
		i.undecided("cloudwatch:metric", "the launch template's monitoring.enabled", monitored.problem)
	case monitored.value:
		i.line("cloudwatch:metric", Scaled, size.times(detailedMetrics))
	}
}

// times returns the quantity multiplied by n.
func (q Quantity) times(n int64) Quantity { return Quantity{q.Min * n, q.Expected * n, q.Max * n} }

// launchTemplate returns the launch template of a group, or nil.
func launchTemplate(i item) *graph.Resource {
	for _, input := range []string{"mixedInstancesPolicy", "launchTemplate"} {
		if found := i.e.graph.Refs(i.r, input, (awsview.Ec2LaunchTemplate{}).Token()).Resources; len(found) > 0 {
			return found[0]
		}
	}
	return nil
}

// instanceTypeOf returns the type that a group starts first: that of the first override,
// or that of its template.
func instanceTypeOf(v awsview.AutoscalingGroup, template *graph.Resource) reading[string] {
	overrides := v.MixedInstancesPolicy().LaunchTemplate().Overrides()
	if n := length(overrides); n.problem == notKnown {
		return reading[string]{problem: notKnown}
	}
	if first := text(overrides.First().InstanceType()); first.problem != notSet {
		return first
	}
	if template == nil {
		return reading[string]{problem: notKnown}
	}
	return text(value.As[awsview.Ec2LaunchTemplate](template.View()).InstanceType())
}

// volumes adds the volumes of a group's instances.
func volumes(i item, t awsview.Ec2LaunchTemplate, size Quantity) {
	mappings, complete := t.BlockDeviceMappings().Items()
	if !complete {
		i.undecided("ebs:gp3", "the launch template's blockDeviceMappings", notKnown)
		return
	}
	if len(mappings) == 0 {
		i.undecided("ebs:gp3", "the launch template's blockDeviceMappings", notSet+", so that the image decides")
		return
	}
	for _, m := range mappings {
		kind := textOr(m.Ebs().VolumeType(), "gp2") // EC2's default
		gib := whole(m.Ebs().VolumeSize())
		switch {
		case !kind.ok():
			i.undecided("", "the launch template's volumeType", kind.problem)
		case !gib.ok():
			i.undecided("ebs:"+kind.value, "the launch template's volumeSize", gib.problem)
		default:
			i.line("ebs:"+kind.value, Scaled, size.times(gib.value))
		}
		// More operations or throughput than the volume includes have no row.
		if possible(m.Ebs().Iops().Set()) {
			i.unpriced("ebs:iops", noRow)
		}
		if possible(m.Ebs().Throughput().Set()) {
			i.unpriced("ebs:throughput", noRow)
		}
	}
}
