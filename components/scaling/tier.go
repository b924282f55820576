package scaling

import (
	"cmp"
	"fmt"
	"maps"
	"time"
)

// TierName is the name of a tier of instances and the value of its Tier tag.
type TierName string

// The tiers of the design document's Auto Scaling Groups.
const (
	WebTier         TierName = "web"
	ApplicationTier TierName = "application"
)

// NodeLabel is the Kubernetes label that holds the tier of a node.
const NodeLabel = "progressive-framework/tier"

// Tier is one Auto Scaling Group (section "Multi-Zone Scaling Strategy").
type Tier struct {
	// Name is the value of the Tier tag and of NodeLabel.
	Name TierName
	// GroupName is the name of the group without the environment. It is also
	// the Name tag of the instances.
	GroupName string
	Size      Size
	// HealthCheckGrace is the time during which the group ignores failed health checks
	// of a new instance.
	HealthCheckGrace time.Duration
	Refresh          Refresh
	ScaleOut         SimpleScalingPolicy
	ScaleIn          SimpleScalingPolicy
	// Alarms start ScaleOut or ScaleIn when a metric passes a threshold.
	Alarms []Alarm
	// Labels and Taints are the labels and taints of the tier's Kubernetes nodes.
	Labels map[string]string
	Taints []Taint
	// Tags are the tags of the group and its instances, without Environment.
	Tags map[string]string
}

// Size is the number of instances: 1 <= Min <= Desired <= Max. Desired is used
// at creation only; after that, the autoscaler changes it.
type Size struct{ Min, Desired, Max int }

// Refresh configures an instance refresh, which replaces instances in batches.
type Refresh struct {
	// MinHealthy is the share of instances that stay in service. MaxHealthy is the
	// share that may exist at the same time: at most 100 above MinHealthy (Amazon EC2 Auto
	// Scaling API, RefreshPreferences).
	MinHealthy, MaxHealthy Percent
	// Warmup is the time until a new instance counts as healthy.
	Warmup time.Duration
	// Checkpoints are shares of replaced instances, in ascending order. The last is 100.
	// At each share the refresh waits for CheckpointDelay, during which an alarm can stop
	// it.
	Checkpoints     []Percent
	CheckpointDelay time.Duration
}

// newLaunchFirstRefresh returns a refresh that launches new instances before it terminates old
// ones. The design document's shares of healthy instances are 50 and 70 percent. With these shares
// the refresh would terminate first. Up to half of the tier's pods would then find no node, and
// their disruption budgets would block the drains. At the first checkpoint, one instance in ten is
// new, so that a wrong image replaces few instances. CheckpointDelay is longer than an alarm takes
// to fire.
func newLaunchFirstRefresh(warmup time.Duration) Refresh {
	return Refresh{
		MinHealthy: 100, MaxHealthy: 110, Warmup: warmup,
		Checkpoints: []Percent{10, 50, 100}, CheckpointDelay: 10 * time.Minute,
	}
}

// SimpleScalingPolicy is a scaling policy of AWS's type SimpleScaling.
type SimpleScalingPolicy struct {
	Name string
	// Adjustment is the change of capacity, in instances.
	Adjustment int
	// Cooldown is the shortest time between two scaling activities of the policy.
	Cooldown time.Duration
}

// Taint is a Kubernetes taint: it repels pods without a matching toleration.
type Taint struct{ Key, Value, Effect string }

// Tiers lists the platform's tiers.
func Tiers() []Tier { return []Tier{WebNodes(), ApplicationNodes()} }

// WebNodes returns the tier of the main application.
func WebNodes() Tier {
	t := DesignThresholds().Web
	return Tier{
		Name: WebTier, GroupName: "progressive-framework-v5-web",
		Size:             Size{Min: 3, Desired: 6, Max: 30},
		HealthCheckGrace: 300 * time.Second,
		Refresh:          newLaunchFirstRefresh(300 * time.Second),
		ScaleOut:         SimpleScalingPolicy{"web-scale-up", 2, 300 * time.Second},
		ScaleIn:          SimpleScalingPolicy{"web-scale-down", -1, 600 * time.Second},
		Alarms: []Alarm{
			highCPUAlarm(t.CPU),
			slowResponsesAlarm(t.ResponseTime),
			manyRequestsAlarm(t.RequestsPerSecondMax),
			lowCPUAlarm(t.CPU),
		},
		Labels: map[string]string{NodeLabel: string(WebTier)},
		Tags:   map[string]string{"Name": "progressive-framework-v5-web", "Tier": string(WebTier)},
	}
}

// ApplicationNodes returns the tier of the agents.
func ApplicationNodes() Tier {
	t := DesignThresholds().Application
	return Tier{
		Name: ApplicationTier, GroupName: "progressive-framework-v5-app",
		Size:             Size{Min: 4, Desired: 8, Max: 50},
		HealthCheckGrace: 300 * time.Second,
		Refresh:          newLaunchFirstRefresh(600 * time.Second),
		ScaleOut:         SimpleScalingPolicy{"app-scale-up", 3, 180 * time.Second},
		ScaleIn:          SimpleScalingPolicy{"app-scale-down", -1, 900 * time.Second},
		Alarms:           []Alarm{highCPUAlarm(t.CPU), lowCPUAlarm(t.CPU)},
		Labels:           map[string]string{NodeLabel: string(ApplicationTier), "progressive-framework/agent-capable": "true"},
		Tags: map[string]string{
			"Name": "progressive-framework-v5-app", "Tier": string(ApplicationTier), "AgentCapable": "true",
		},
	}
}

// WithSize returns the tier with the size that a stack sets. A zero in s keeps the tier's own
// number.
func (t Tier) WithSize(s Size) (Tier, error) {
	t.Size = Size{
		Min:     cmp.Or(s.Min, t.Size.Min),
		Desired: cmp.Or(s.Desired, t.Size.Desired),
		Max:     cmp.Or(s.Max, t.Size.Max),
	}
	return t, t.Validate()
}

// Validate returns an error for a missing name, for contradictory sizes, for a step in the wrong
// direction, and for a refresh with an invalid share of healthy instances.
func (t Tier) Validate() error {
	s := t.Size
	switch {
	case t.Name == "" || t.GroupName == "":
		return fmt.Errorf("tier %q: must have a Name and a GroupName", t.Name)
	case s.Min < 1 || s.Min > s.Desired || s.Desired > s.Max:
		return fmt.Errorf("tier %s: sizes min %d, desired %d, max %d: must be 1 <= min <= desired <= max; an unset number is the tier's own", t.Name, s.Min, s.Desired, s.Max)
	case t.ScaleOut.Adjustment < 1 || t.ScaleIn.Adjustment > -1:
		return fmt.Errorf("tier %s: %s changes capacity by %d and %s by %d: the first must add instances, the second must remove them",
			t.Name, t.ScaleOut.Name, t.ScaleOut.Adjustment, t.ScaleIn.Name, t.ScaleIn.Adjustment)
	case t.Refresh.MinHealthy < 1 || t.Refresh.MinHealthy > 100:
		return fmt.Errorf("tier %s: %s of instances healthy in a refresh: must be 1 to 100 %%", t.Name, t.Refresh.MinHealthy)
	}
	return nil
}

// FullGroupName returns the name of the tier's Auto Scaling Group in one environment, as in the
// design document.
func (t Tier) FullGroupName(environment string) string { return t.GroupName + "-" + environment }

// InstanceTags returns the tags of the group and its instances in one
// environment.
func (t Tier) InstanceTags(environment string) map[string]string {
	tags := maps.Clone(t.Tags)
	tags["Environment"] = environment
	return tags
}
