package autoscale

// maxStart is the longest start of a pod, in steps.
const maxStart = 15

// Pods are the pods of one service. A new pod needs some steps to start, and then serves.
type Pods struct {
	// Ready is the number of pods that serve.
	Ready int
	// Created is the number of pods that were created since the beginning.
	Created  int
	starting [maxStart + 1]int // the number of starting pods, by the steps until they serve
	pending  int               // the number of all starting pods
}

// Count returns the number of pods that exist, ready or not.
func (p *Pods) Count() int { return p.Ready + p.pending }

// Scale creates or removes pods until there are count pods. Like Kubernetes, it first removes pods
// that are not ready. For each new pod, delay returns how many steps it takes to start, 0 to 15.
func (p *Pods) Scale(count int, delay func() int) {
	for ; p.Count() < count; p.Created++ {
		if d := delay(); d <= 0 {
			p.Ready++
		} else {
			p.starting[min(d, maxStart)]++
			p.pending++
		}
	}
	for i := maxStart; i > 0 && p.Count() > count; i-- {
		n := min(p.starting[i], p.Count()-count)
		p.starting[i] -= n
		p.pending -= n
	}
	p.Ready -= p.Count() - count
}

// Step simulates one step with this load, in pods. It returns the part of the load that is above
// the capacity of the ready pods.
func (p *Pods) Step(load float64) (overload float64) {
	overload = max(0, load-float64(p.Ready))
	if p.pending > 0 {
		started := p.starting[1]
		copy(p.starting[1:], p.starting[2:])
		p.starting[maxStart] = 0
		p.Ready += started
		p.pending -= started
	}
	return overload
}
