package scaling

import "fmt"

// MaxReplicas is the largest number of pods of a service: the largest
// maxReplicas of the design document's HPAs.
const MaxReplicas = 50

// Count is the number of pods of a service: Fixed or Autoscaled. It is never
// both, so that no deployment resets the count of an autoscaler.
type Count interface {
	fmt.Stringer
	validate() error
}

// Fixed is a constant number of pods, 1 to MaxReplicas.
type Fixed int

// Autoscaled means that an HPA sets the number of pods. The Deployment then has
// no replicas field.
type Autoscaled HPA

// String returns a text such as "3 replicas".
func (f Fixed) String() string { return fmt.Sprintf("%d replicas", int(f)) }

// String returns a text such as "2 to 20 replicas by mca-hpa".
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
