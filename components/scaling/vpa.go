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
	// Mode says whether the VPA applies its recommendation.
	Mode UpdateMode
	// Bounds limit the requests that the VPA may set, by resource: min <= max.
	Bounds map[ResourceName]Bounds
	// Controls are the resources for which the VPA sets or recommends requests.
	Controls []ResourceName
	// Values are the values that the VPA changes: requests, or also limits. Empty means
	// VPA's default, RequestsAndLimits.
	Values ControlledValues
}

// Bounds are the smallest and the largest request of a container.
type Bounds struct{ Min, Max resource.Quantity }

// UpdateMode says whether a VPA applies its recommendation.
type UpdateMode string

// The update modes that the design document uses.
const (
	// UpdateAuto applies recommendations. components/podscaling renders it as InPlaceOrRecreate,
	// which resizes a running pod if possible.
	UpdateAuto UpdateMode = "Auto"
	// UpdateOff only recommends.
	UpdateOff UpdateMode = "Off"
)

// ControlledValues are the values that a VPA changes of a resource.
type ControlledValues string

// The values of a VPA's controlledValues.
const (
	// RequestsAndLimits changes limits in proportion to requests.
	RequestsAndLimits ControlledValues = "RequestsAndLimits"
	// RequestsOnly keeps the limits, and sets no request above its limit.
	RequestsOnly ControlledValues = "RequestsOnly"
)

// WithoutConflict returns the VPA without the resources that the HPA scales on. If no
// resource is left, the VPA keeps all its resources and only recommends. In the design document
// both the HPA and the VPA control CPU and memory, so each would undo the changes of the other.
func (v VPA) WithoutConflict(h HPA) VPA {
	if v.Mode == UpdateOff {
		return v
	}
	unshared := slices.DeleteFunc(slices.Clone(v.Controls), h.ScalesOn)
	if len(unshared) == 0 {
		v.Mode = UpdateOff
		return v
	}
	v.Controls = unshared
	return v
}

// CheckConflict returns an error if an HPA and a VPA would control the same resource.
func CheckConflict(h HPA, v VPA) error {
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

// validate checks the name, the mode, the values and the bounds.
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
