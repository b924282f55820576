package scaling

// PredictionFloor is the target of the HPA's own metrics while there is a forecast, as a
// share of a pod's capacity. It is a floor: if the forecast is lower, the HPA still runs the
// pods for this target. It is below 100 %, so that the HPA adds pods before a too low
// forecast overloads them. At 100 % the saving would be 1.7 percentage points larger
// (docs/prediction.md).
const PredictionFloor Percent = 95

// Prediction is the load of a service that a forecast predicts, and the capacity of its
// pods.
type Prediction struct {
	// Load is the metric of the HPA that counts arriving requests.
	Load PodsMetric
	// Target is the CPU target of the design document's HPA, as a share of a pod's capacity. At
	// this CPU usage, the load of a pod equals the target of Load.
	Target Percent
}

// Prediction returns the prediction of a service. It returns false if the service's HPA
// has no rate of requests or no target for the CPU.
func (p Profile) Prediction() (prediction Prediction, ok bool) {
	for _, m := range p.HPA.Metrics {
		switch m := m.(type) {
		case PodsMetric:
			if _, isRate := m.Source.(Rate); isRate && prediction.Load.Name == "" {
				prediction.Load = m
			}
		case ResourceMetric:
			if m.Resource == CPU {
				prediction.Target = m.Utilization
			}
		}
	}
	return prediction, prediction.Load.Name != "" && prediction.Target > 0
}

// Capacity returns the load that one pod can serve, in the unit of Load. It follows from the design
// document's targets. A pod with 100 requests a second at 70 % of its CPU can serve 143.
func (p Prediction) Capacity() float64 {
	return p.Load.AverageValue.AsApproximateFloat64() * 100 / float64(p.Target)
}

// WithFloorTarget returns the metric m with PredictionFloor as its target, and true. For a mean
// duration it returns m unchanged, and false, because a duration is not proportional to the load.
func (p Prediction) WithFloorTarget(m Metric) (_ Metric, raised bool) {
	switch m := m.(type) {
	case ResourceMetric:
		m.Utilization = max(m.Utilization, PredictionFloor)
		return m, true
	case PodsMetric:
		if _, isRate := m.Source.(Rate); isRate {
			// A pod uses p.Target percent of its CPU at AverageValue. The CPU is proportional to the rate.
			m.AverageValue.SetMilli(m.AverageValue.MilliValue() * int64(PredictionFloor) / int64(p.Target))
			return m, true
		}
	}
	return m, false
}
