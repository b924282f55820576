package scaling

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// ResourceName is one of the resources that pods request.
type ResourceName string

// The resources that autoscalers use.
const (
	CPU    ResourceName = "cpu"
	Memory ResourceName = "memory"
)

// HPA is the specification of a HorizontalPodAutoscaler (autoscaling/v2).
type HPA struct {
	// Name is the object's name.
	Name string
	// MinReplicas and MaxReplicas bound the number of pods: 1 <= min <= max <=
	// the constant MaxReplicas.
	MinReplicas, MaxReplicas int
	// Metrics are the metrics with their targets. The metric that needs the most
	// pods decides.
	Metrics []Metric
	// ScaleDown and ScaleUp limit the speed of changes. nil means the defaults
	// of Kubernetes.
	ScaleDown, ScaleUp *Behavior
}

// Metric is a ResourceMetric or a PodsMetric.
type Metric interface{ validate() error }

// ResourceMetric has a share of the pods' resource requests as its target.
type ResourceMetric struct {
	Resource ResourceName
	// Utilization is a percentage of the request, 1 to 100.
	Utilization Percent
}

// PodsMetric has the average of a custom metric over all pods as its target.
type PodsMetric struct {
	// Name is the metric's Prometheus name.
	Name string
	// AverageValue is in the unit of the metric. It is above zero.
	AverageValue resource.Quantity
	// Source is the series from which the metric is computed.
	Source Source
}

// Behavior limits how fast an HPA changes the number of pods in one direction.
type Behavior struct {
	// StabilizationWindow is the time over which the HPA considers earlier
	// recommendations before it acts, 0 to 1 h.
	StabilizationWindow time.Duration
	Policies            []Policy
	// Select selects the policy that applies. Empty means Max, the default of
	// Kubernetes.
	Select Select
}

// Policy allows a change of at most Value pods or percent in each Period, 1 s
// to 30 min.
type Policy struct {
	Type   PolicyType
	Value  int
	Period time.Duration
}

// PolicyType is the unit of a Policy.
type PolicyType string

// The policy types of autoscaling/v2.
const (
	PercentPolicy PolicyType = "Percent"
	PodsPolicy    PolicyType = "Pods"
)

// Select selects one of several policies: the largest or the smallest change.
type Select string

// The selections of autoscaling/v2.
const (
	SelectMax Select = "Max"
	SelectMin Select = "Min"
)

// ScalesOn reports whether the HPA has a target for a resource.
func (h HPA) ScalesOn(name ResourceName) bool {
	for _, m := range h.Metrics {
		if r, ok := m.(ResourceMetric); ok && r.Resource == name {
			return true
		}
	}
	return false
}

// WithBounds returns the HPA with the bounds that a stack sets. A parameter of zero does not change
// its bound. It returns an error unless the new minimum is at least 1, and the new maximum is at
// least the minimum. The new maximum must not be above the constant MaxReplicas.
func (h HPA) WithBounds(minReplicas, maxReplicas int) (HPA, error) {
	if minReplicas != 0 {
		h.MinReplicas = minReplicas
	}
	if maxReplicas != 0 {
		h.MaxReplicas = maxReplicas
	}
	return h, h.validate()
}

// validate checks the bounds, the metrics and the behaviour.
func (h HPA) validate() error {
	if h.Name == "" || len(h.Metrics) == 0 {
		return fmt.Errorf("HPA %q: must have a name and a metric", h.Name)
	}
	if h.MinReplicas < 1 || h.MinReplicas > h.MaxReplicas || h.MaxReplicas > MaxReplicas {
		return fmt.Errorf("HPA %s: %d to %d replicas: must be 1 <= min <= max <= %d", h.Name, h.MinReplicas, h.MaxReplicas, MaxReplicas)
	}
	var errs []error
	for _, m := range h.Metrics {
		errs = append(errs, m.validate())
	}
	errs = append(errs, h.ScaleDown.validate(), h.ScaleUp.validate())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("HPA %s: %w", h.Name, err)
	}
	return nil
}

func (m ResourceMetric) validate() error {
	if m.Resource != CPU && m.Resource != Memory {
		return fmt.Errorf("resource %q: must be %s or %s", m.Resource, CPU, Memory)
	}
	if m.Utilization < 1 || m.Utilization > 100 {
		return fmt.Errorf("%s utilization of %s: must be 1 to 100 %%", m.Resource, m.Utilization)
	}
	return nil
}

func (m PodsMetric) validate() error {
	if m.Name == "" || m.AverageValue.Sign() <= 0 {
		return fmt.Errorf("metric %q with average %s: must have a name and a value above zero", m.Name, m.AverageValue.String())
	}
	if m.Source == nil {
		return fmt.Errorf("metric %s: must have a Source: a Rate or a MeanDuration", m.Name)
	}
	if err := m.Source.validate(); err != nil {
		return fmt.Errorf("metric %s: %w", m.Name, err)
	}
	return nil
}

// validate checks the limits of the Kubernetes API (autoscaling/v2, HPAScalingRules and
// HPAScalingPolicy). A nil behaviour is valid.
func (b *Behavior) validate() error {
	if b == nil {
		return nil
	}
	if b.StabilizationWindow < 0 || b.StabilizationWindow > time.Hour {
		return fmt.Errorf("stabilization window of %s: must be 0 to 1h", b.StabilizationWindow)
	}
	for _, p := range b.Policies {
		if p.Value < 1 || p.Period < time.Second || p.Period > 30*time.Minute {
			return fmt.Errorf("policy of %d %s in %s: the value must be above zero, the period 1s to 30m", p.Value, p.Type, p.Period)
		}
	}
	return nil
}
