package scaling

import (
	"fmt"
	"maps"
	"time"
)

// TierName names a tier of instances; it is the value of its Tier tag.
type TierName string

// The tiers of the design document's Auto Scaling Groups.
const (
	WebTier         TierName = "web"
	ApplicationTier TierName = "application"
)

// NodeLabel is the Kubernetes label of a node that names its tier.
const NodeLabel = "progressive-framework/tier"

// Tier is one Auto Scaling Group (section "Multi-Zone Scaling Strategy").
type Tier struct {
	// Name is the value of the Tier tag and of NodeLabel.
	Name TierName
	// GroupName is the group's name without its environment, and the Name tag
	// of its instances.
	GroupName string
	Size      Size
	// HealthCheckGrace is how long a new instance may fail health checks.
	HealthCheckGrace time.Duration
	Refresh          Refresh
	ScaleOut         Step
	ScaleIn          Step
	// Alarms are the thresholds at which a Step is taken.
	Alarms []Alarm
	// Labels and Taints are the nodes' own.
	Labels map[string]string
	Taints []Taint
	// Tags are those of the group and its instances, beside Environment.
	Tags map[string]string
}

// Size is how many instances there are: 1 <= Min <= Desired <= Max. Desired
// holds at creation only; then it belongs to whoever scales the group.
type Size struct{ Min, Desired, Max int }

// Refresh is how a group replaces its instances, a few at a time.
type Refresh struct {
	// MinHealthy is the share of instances that stay in service.
	MinHealthy Percent
	// Warmup is how long a new instance takes until it counts.
	Warmup time.Duration
}

// Step is a simple scaling policy.
type Step struct {
	Name string
	// Adjustment is the change of capacity in instances.
	Adjustment int
	// Cooldown is the pause before the next step.
	Cooldown time.Duration
}

// Taint keeps pods from nodes that they do not tolerate.
type Taint struct{ Key, Value, Effect string }

// Tiers are the platform's tiers.
func Tiers() []Tier { return []Tier{WebNodes(), ApplicationNodes()} }

// WebNodes is the web tier.
func WebNodes() Tier {
	t := Targets().Web
	return Tier{
		Name: WebTier, GroupName: "progressive-framework-v5-web",
		Size:             Size{Min: 3, Desired: 6, Max: 30},
		HealthCheckGrace: 300 * time.Second,
		Refresh:          Refresh{MinHealthy: 50, Warmup: 300 * time.Second},
		ScaleOut:         Step{"web-scale-up", 2, 300 * time.Second},
		ScaleIn:          Step{"web-scale-down", -1, 600 * time.Second},
		Alarms: []Alarm{
			highCPU(t.CPU),
			slowResponses(t.ResponseTime),
			manyRequests(t.RequestsPerSecondMax),
			lowCPU(t.CPU),
		},
		Labels: map[string]string{NodeLabel: string(WebTier)},
		Tags:   map[string]string{"Name": "progressive-framework-v5-web", "Tier": string(WebTier)},
	}
}

// ApplicationNodes is the application tier, on which the agents run.
func ApplicationNodes() Tier {
	t := Targets().Application
	return Tier{
		Name: ApplicationTier, GroupName: "progressive-framework-v5-app",
		Size:             Size{Min: 4, Desired: 8, Max: 50},
		HealthCheckGrace: 300 * time.Second,
		Refresh:          Refresh{MinHealthy: 70, Warmup: 600 * time.Second},
		ScaleOut:         Step{"app-scale-up", 3, 180 * time.Second},
		ScaleIn:          Step{"app-scale-down", -1, 900 * time.Second},
		Alarms:           []Alarm{highCPU(t.CPU), lowCPU(t.CPU)},
		Labels:           map[string]string{NodeLabel: string(ApplicationTier), "progressive-framework/agent-capable": "true"},
		Tags: map[string]string{
			"Name": "progressive-framework-v5-app", "Tier": string(ApplicationTier), "AgentCapable": "true",
		},
	}
}

// WithSize is the tier with a stack's own size, of which zeros keep the
// profile's.
func (t Tier) WithSize(s Size) (Tier, error) {
	pick := func(own, profile int) int {
		if own != 0 {
			return own
		}
		return profile
	}
	t.Size = Size{Min: pick(s.Min, t.Size.Min), Desired: pick(s.Desired, t.Size.Desired), Max: pick(s.Max, t.Size.Max)}
	return t, t.Validate()
}

// Validate refuses a size that crosses itself and steps in the wrong
// direction.
func (t Tier) Validate() error {
	s := t.Size
	switch {
	case t.Name == "" || t.GroupName == "":
		return fmt.Errorf("tier %q: must have a Name and a GroupName", t.Name)
	case s.Min < 1 || s.Min > s.Desired || s.Desired > s.Max:
		return fmt.Errorf("tier %s: sizes min %d, desired %d, max %d: must be 1 <= min <= desired <= max", t.Name, s.Min, s.Desired, s.Max)
	case t.ScaleOut.Adjustment < 1 || t.ScaleIn.Adjustment > -1:
		return fmt.Errorf("tier %s: %s changes capacity by %d and %s by %d: the first must add, the second take away",
			t.Name, t.ScaleOut.Name, t.ScaleOut.Adjustment, t.ScaleIn.Name, t.ScaleIn.Adjustment)
	case t.Refresh.MinHealthy < 1 || t.Refresh.MinHealthy > 100:
		return fmt.Errorf("tier %s: %s of instances healthy in a refresh: must be 1 to 100 %%", t.Name, t.Refresh.MinHealthy)
	}
	return nil
}

// InstanceTags are the tags of the group and its instances.
func (t Tier) InstanceTags(environment string) map[string]string {
	tags := maps.Clone(t.Tags)
	tags["Environment"] = environment
	return tags
}
