package scaling

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// VPA is the specification of a VerticalPodAutoscaler (autoscaling.k8s.io/v1).
type VPA struct {
	// Name is the object's name.
	Name string
	// Mode says what it does with its recommendation.
	Mode UpdateMode
	// Bounds limit the requests that it may set, by resource: min <= max.
	Bounds map[ResourceName]Bounds
	// Controls are the resources that it sets or recommends values for.
	Controls []ResourceName
	// Values says whether it also changes limits. Empty means the default of
	// Kubernetes, which is RequestsAndLimits.
	Values ControlledValues
}

// Bounds are the smallest and the largest request of a container.
type Bounds struct{ Min, Max resource.Quantity }

// UpdateMode says what a VPA does with its recommendation.
type UpdateMode string

// The update modes that the design document uses.
const (
	// UpdateAuto applies recommendations by evicting pods.
	UpdateAuto UpdateMode = "Auto"
	// UpdateOff only recommends.
	UpdateOff UpdateMode = "Off"
)

// ControlledValues says what a VPA changes of a resource.
type ControlledValues string

// The values of a VPA's controlledValues.
const (
	// RequestsAndLimits changes limits in proportion to requests.
	RequestsAndLimits ControlledValues = "RequestsAndLimits"
	// RequestsOnly keeps limits, and bounds requests by them.
	RequestsOnly ControlledValues = "RequestsOnly"
)

// WithoutConflict returns the VPA that can work alongside an HPA. It controls
// only the resources that the HPA does not scale on. If none is left, it only
// recommends, for all of its resources. The design document lets both control
// CPU and memory, where each would undo the changes of the other.
func (v VPA) WithoutConflict(h HPA) VPA {
	if v.Mode == UpdateOff {
		return v
	}
	free := slices.DeleteFunc(slices.Clone(v.Controls), h.ScalesOn)
	if len(free) == 0 {
		v.Mode = UpdateOff
		return v
	}
	v.Controls = free
	return v
}

// Conflict returns an error that names the resources that both an HPA and a VPA
// would control.
func Conflict(h HPA, v VPA) error {
	if v.Mode == UpdateOff {
		return nil
	}
	var shared []string
	for _, name := range v.Controls {
		if h.ScalesOn(name) {
			shared = append(shared, string(name))
		}
	}
	if len(shared) == 0 {
		return nil
	}
	return fmt.Errorf("HPA %s and VPA %s both own %s: each would undo the changes of the other; remove it from the VPA (VPA.WithoutConflict) or set the VPA's mode to Off",
		h.Name, v.Name, strings.Join(shared, " and "))
}

func (v VPA) validate() error {
	var errs []error
	if v.Name == "" || len(v.Controls) == 0 {
		errs = append(errs, errors.New("must have a name and a resource"))
	}
	if v.Mode != UpdateAuto && v.Mode != UpdateOff {
		errs = append(errs, fmt.Errorf("mode %q: must be %s or %s", v.Mode, UpdateAuto, UpdateOff))
	}
	if v.Values != "" && v.Values != RequestsAndLimits && v.Values != RequestsOnly {
		errs = append(errs, fmt.Errorf("controlled values %q: must be %s or %s", v.Values, RequestsAndLimits, RequestsOnly))
	}
	for _, name := range v.Controls {
		b, ok := v.Bounds[name]
		if !ok || b.Min.Sign() <= 0 || b.Min.Cmp(b.Max) > 0 {
			errs = append(errs, fmt.Errorf("%s from %s to %s: must have bounds, above zero, with min <= max", name, b.Min.String(), b.Max.String()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("VPA %q: %w", v.Name, err)
	}
	return nil
}
