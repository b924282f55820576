package scaling

import "fmt"

// MaxReplicas is the most pods that any service may have: the largest
// maxReplicas of the design document's HPAs.
const MaxReplicas = 50

// Count says how many pods a service has: Fixed or Autoscaled, and never both,
// so that no deployment resets an autoscaler's count.
type Count interface {
	fmt.Stringer
	validate() error
}

// Fixed is a count that nothing scales, 1 to MaxReplicas.
type Fixed int

// Autoscaled leaves the count to an autoscaler: the Deployment names none.
type Autoscaled HPA

// String gives such as "3 replicas".
func (f Fixed) String() string { return fmt.Sprintf("%d replicas", int(f)) }

// String gives such as "2 to 20 replicas by mca-hpa".
func (a Autoscaled) String() string {
	return fmt.Sprintf("%d to %d replicas by %s", a.MinReplicas, a.MaxReplicas, a.Name)
}

func (f Fixed) validate() error {
	if f < 1 || f > MaxReplicas {
		return fmt.Errorf("%d replicas: must be 1 to %d", int(f), MaxReplicas)
	}
	return nil
}

func (a Autoscaled) validate() error { return HPA(a).validate() }
