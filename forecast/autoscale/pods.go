package autoscale

// longestStart is the longest start of a pod in steps.
const longestStart = 16

// Pods are the pods of one service. A new pod serves after a start of whole steps.
type Pods struct {
	// Ready is the number of pods that serve.
	Ready int
	// Created counts the pods that were ever started.
	Created  int
	starting [longestStart]int // by the steps until they serve
	pending  int
}

// Count returns the pods that exist: spec.replicas.
func (p *Pods) Count() int { return p.Ready + p.pending }

// Scale creates or removes pods. Kubernetes removes pods that are not ready first. delay returns
// the start of one new pod in steps, 0 to 15.
func (p *Pods) Scale(count int, delay func() int) {
	for ; p.Count() < count; p.Created++ {
		if d := delay(); d <= 0 {
			p.Ready++
		} else {
			p.starting[min(d, longestStart-1)]++
			p.pending++
		}
	}
	for i := longestStart - 1; i > 0 && p.Count() > count; i-- {
		n := min(p.starting[i], p.Count()-count)
		p.starting[i] -= n
		p.pending -= n
	}
	p.Ready -= p.Count() - count
}

// Step advances the starts by one step, and returns the load above the capacity of the ready pods
// in that step. load is in pods.
func (p *Pods) Step(load float64) (overload float64) {
	overload = max(0, load-float64(p.Ready))
	if p.pending > 0 {
		served := p.starting[1]
		copy(p.starting[1:], p.starting[2:])
		p.starting[longestStart-1] = 0
		p.Ready += served
		p.pending -= served
	}
	return overload
}
