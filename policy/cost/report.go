// Package cost computes what the resources of a stack cost a month at AWS's
// list prices. It owns the price table, the quantities that each resource type
// is billed by, and the difference of two reports. It reads no files and opens no
// connections.
//
// Money is a whole number of millionths of a US dollar (Micros). A month has 730
// hours, as in AWS's own calculators.
package cost

// HoursPerMonth is the number of hours in a billed month: 365 days × 24 hours / 12
// months.
const HoursPerMonth = 730

// Micros is an amount of money in millionths of a US dollar.
type Micros int64

// Dollar is one US dollar.
const Dollar Micros = 1_000_000

// Range is a monthly amount. Its fields differ if an Auto Scaling group can
// change its size. Min is the amount at the group's minimum size, Expected at its
// desired size, and Max at its maximum size.
type Range struct {
	Min      Micros `json:"minMicroUSD"`
	Expected Micros `json:"expectedMicroUSD"`
	Max      Micros `json:"maxMicroUSD"`
}

// Kind is what an amount depends on.
type Kind string

// The kinds.
const (
	// Fixed does not depend on the load.
	Fixed Kind = "fixed"
	// Scaled depends on the size of an Auto Scaling group.
	Scaled Kind = "range"
	// Usage depends on an estimate in the stack's configuration.
	Usage Kind = "usage"
)

// Line is one priced item of one resource.
type Line struct {
	// Component is the component that the resource belongs to, such as network. It
	// is "stack" for a resource without a component.
	Component string `json:"component"`
	// Resource is the resource's name in Pulumi. It is empty for usage.
	Resource string `json:"resource,omitempty"`
	URN      string `json:"urn,omitempty"`
	// SKU is the row of the price table.
	SKU  string `json:"sku"`
	Kind Kind   `json:"kind"`
	// Quantity is the number of units a month.
	Quantity Quantity `json:"quantity"`
	// Unit is what the price is for, such as hour or GB-month.
	Unit string `json:"unit"`
	// Price is the price of one unit.
	Price Micros `json:"priceMicroUSD"`
	// AsOf is the day on which the source had the price.
	AsOf string `json:"asOf"`
	// Stale is true if AsOf is more than 400 days ago.
	Stale   bool  `json:"stale,omitempty"`
	Monthly Range `json:"monthly"`
}

// Quantity is a number of units a month.
type Quantity struct {
	Min      int64 `json:"min"`
	Expected int64 `json:"expected"`
	Max      int64 `json:"max"`
}

// Gap is an item of a resource that has no amount. It is never counted as zero:
// a total with gaps is a lower bound.
type Gap struct {
	Component string `json:"component"`
	Resource  string `json:"resource"`
	URN       string `json:"urn,omitempty"`
	// SKU names the item, such as ec2:m7i.xlarge. It is empty if an unknown value
	// decides which SKU it is.
	SKU string `json:"sku,omitempty"`
	// Reason says what is missing.
	Reason string `json:"reason"`
}

// Subtotal is the amount of one component.
type Subtotal struct {
	Component string `json:"component"`
	Monthly   Range  `json:"monthly"`
	// Lines is the number of priced items. Gaps is the number of items without an amount.
	Lines int `json:"lines"`
	Gaps  int `json:"gaps,omitempty"`
}

// Report is what a stack costs a month.
type Report struct {
	Stack  string `json:"stack"`
	Region string `json:"region,omitempty"`
	// NoFigure says why there is no amount at all, such as a region without
	// prices. It is empty if Total is valid.
	NoFigure string `json:"noFigure,omitempty"`
	// Total is the sum of Lines. It is left out if NoFigure is set.
	Total Range `json:"total,omitzero"`
	// Components are the subtotals, the most expensive first.
	Components []Subtotal `json:"components"`
	// Lines are the priced items, by component, resource and SKU.
	Lines []Line `json:"lines"`
	// Unpriced are the items that the price table has no row for.
	Unpriced []Gap `json:"unpriced,omitempty"`
	// Undecided are the items with a quantity or SKU that is not known yet.
	Undecided []Gap `json:"undecided,omitempty"`
	// NotCounted are the charges that the report leaves out, because they depend on
	// usage without an estimate.
	NotCounted []string `json:"notCounted"`
}

// Complete reports whether every billed item of the stack has an amount.
func (r Report) Complete() bool {
	return r.NoFigure == "" && len(r.Unpriced) == 0 && len(r.Undecided) == 0
}
