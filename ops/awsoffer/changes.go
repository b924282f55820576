package awsoffer

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/cost"
)

// Change is a row that an offer file changes or adds.
type Change struct {
	// Before is the row of the table. Its amount is zero if the row is new.
	Before cost.Price
	After  cost.Price
}

// Compare compares the price table with an offer. changed has the rows with a different price. It
// also has the new rows, if their SKU begins with one of the prefixes. same has the rows with an
// equal price: only the day and the source of these rows change.
func Compare(table []cost.Price, o Offer, prefixes []string) (changed, same []Change) {
	for _, after := range o.Prices {
		i := slices.IndexFunc(table, func(p cost.Price) bool { return p.SKU == after.SKU && p.Region == after.Region })
		switch {
		case i < 0:
			if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(after.SKU, prefix) }) {
				changed = append(changed, Change{After: after})
			}
		case table[i].Amount != after.Amount:
			changed = append(changed, Change{table[i], after})
		default:
			same = append(same, Change{table[i], after})
		}
	}
	return changed, same
}

// WriteRows writes the row of each change, with the new price, in the format of prices.csv. It
// writes no header.
func WriteRows(w io.Writer, changes []Change) error {
	writer := csv.NewWriter(w)
	for _, c := range changes {
		p := c.After
		if err := writer.Write([]string{p.SKU, fmt.Sprint(int64(p.Amount)), p.Unit, p.Region, p.AsOf.Format(time.DateOnly), strings.Join(p.Sources, " ; ")}); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// String returns the change as text, such as "kms:key in us-east-1: $1.00 to $1.10 (month)".
func (c Change) String() string {
	before := "new, "
	if c.Before.Amount > 0 {
		before = c.Before.Amount.Exact() + " to "
	}
	return fmt.Sprintf("%s in %s: %s%s (%s)", c.After.SKU, c.After.Region, before, c.After.Amount.Exact(), c.After.Unit)
}
