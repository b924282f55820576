package scaling

// PredictionFloor is the share of a pod's capacity at which an HPA adds pods by itself
// while a forecast supplies the headroom. Below 100 %, so that a forecast that is too
// low overloads no pod for long. At 100 % the saving is 1.7 points larger
// (docs/prediction.md).
const PredictionFloor Percent = 95

// Prediction is the load of a service that a forecast predicts, and what its pods can
// serve.
type Prediction struct {
	// Load is the metric of the HPA that counts arriving requests.
	Load PodsMetric
	// Target is the share of a pod's capacity that the document's HPA aims at: its
	// target of the CPU. The document reaches both targets with the same pod.
	Target Percent
}

// Prediction returns what a forecast of the service needs. ok is false for a service
// that counts no requests, or whose HPA has no target of the CPU.
func (p Profile) Prediction() (prediction Prediction, ok bool) {
	for _, m := range p.HPA.Metrics {
		switch m := m.(type) {
		case PodsMetric:
			if _, rate := m.Source.(Rate); rate && prediction.Load.Name == "" {
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

// Capacity is the load that one pod serves within its limits, in the unit of Load. It
// follows from the document's targets: 100 requests a second at 70 % are 143.
func (p Prediction) Capacity() float64 {
	return p.Load.AverageValue.AsApproximateFloat64() * 100 / float64(p.Target)
}

// AtFloor returns the metric of an HPA with its target moved to PredictionFloor. A mean
// duration keeps its target, because it does not grow in proportion to the load. moved
// says whether the target has changed.
func (p Prediction) AtFloor(m Metric) (_ Metric, moved bool) {
	switch m := m.(type) {
	case ResourceMetric:
		m.Utilization = max(m.Utilization, PredictionFloor)
		return m, true
	case PodsMetric:
		if _, rate := m.Source.(Rate); rate {
			m.AverageValue.SetMilli(m.AverageValue.MilliValue() * int64(PredictionFloor) / int64(p.Target))
			return m, true
		}
	}
	return m, false
}
