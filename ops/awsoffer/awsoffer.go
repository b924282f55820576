// Package awsoffer reads AWS's bulk price files (offer files), and compares them with
// the price table of policy/cost. It owns the form of these files, and which of
// their products is which row. It downloads nothing.
//
// The form is that of AWS's Price List Bulk API, "Reading service price list files":
// one JSON document with products, and with terms by product. The file of EC2 has
// some hundred megabytes, so it is read as a stream.
package awsoffer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/cost"
)

// product is a product in an offer file.
type product struct {
	SKU        string            `json:"sku"`
	Family     string            `json:"productFamily"`
	Attributes map[string]string `json:"attributes"`
}

// term is the price of a product under one kind of contract.
type term struct {
	Dimensions map[string]dimension `json:"priceDimensions"`
}

// dimension is one price of a term. A product with volume discounts has several.
type dimension struct {
	Unit       string            `json:"unit"`
	BeginRange string            `json:"beginRange"`
	PerUnit    map[string]string `json:"pricePerUnit"`
}

// Offer is the content of an offer file that the price table can use.
type Offer struct {
	// Code is the code of the service, such as AmazonEC2.
	Code string
	// Version is the version of the file, such as 20260924211011.
	Version string
	// Published is the day of the file.
	Published time.Time
	// Prices are the on-demand prices in dollars, by SKU of the price table and region.
	Prices []cost.Price
	// Problems are products that the price table can't use, such as two products with different
	// prices for one SKU.
	Problems []string
}

// Read reads an offer file.
func Read(r io.Reader) (Offer, error) {
	var o Offer
	d := json.NewDecoder(r)
	// products has the wanted products, by AWS's SKU.
	products, found := map[string]cost.Price{}, map[string]cost.Price{}
	published := ""
	fields := map[string]func() error{
		"offerCode":       func() error { return d.Decode(&o.Code) },
		"version":         func() error { return d.Decode(&o.Version) },
		"publicationDate": func() error { return d.Decode(&published) },
		"products":        func() error { return o.readProducts(d, products) },
		"terms": func() error {
			return members(d, func(kind string) error {
				if kind != "OnDemand" {
					return skip(d)
				}
				return members(d, func(sku string) error { return o.readTerms(d, sku, products, found) })
			})
		},
	}
	err := members(d, func(name string) error {
		if read := fields[name]; read != nil {
			return read()
		}
		return skip(d)
	})
	if err != nil {
		return Offer{}, fmt.Errorf("offer file: %w", err)
	}
	if o.Published, err = time.Parse(time.RFC3339, published); err != nil || o.Code == "" {
		return Offer{}, errors.New("offer file: no offerCode and publicationDate: must be a JSON price list file of AWS for one service")
	}
	o.complete(found)
	return o, nil
}

// readProducts keeps the products for which the price table can have a row.
func (o *Offer) readProducts(d *json.Decoder, products map[string]cost.Price) error {
	return members(d, func(string) error {
		var p product
		if err := d.Decode(&p); err != nil {
			return err
		}
		if row := rowFor(o.Code, p); row.SKU != "" && p.SKU != "" {
			products[p.SKU] = row
		}
		return nil
	})
}

// readTerms reads the price of one product.
func (o *Offer) readTerms(d *json.Decoder, sku string, products, found map[string]cost.Price) error {
	row, wanted := products[sku]
	if !wanted {
		return skip(d)
	}
	var terms map[string]term
	if err := d.Decode(&terms); err != nil {
		return err
	}
	for _, t := range terms {
		for _, dim := range t.Dimensions {
			usd, ok := dim.PerUnit["USD"]
			if !ok || cmp.Or(dim.BeginRange, "0") != "0" { // a price that begins after the first volume
				continue
			}
			amount, err := cost.ParseMicros(usd)
			switch {
			case err != nil:
				o.Problems = append(o.Problems, fmt.Sprintf("%s: %v", row.SKU, err))
				continue
			case amount == 0: // a reservation includes it, or it is in the free tier
				continue
			}
			row.Amount = amount
			o.keep(row, found)
		}
	}
	return nil
}

// keep adds a row. If two products have different prices, it keeps no row, because the file does
// not say which one AWS bills.
func (o *Offer) keep(row cost.Price, found map[string]cost.Price) {
	key := row.Region + " " + row.SKU
	other, seen := found[key]
	if !seen {
		found[key] = row
		return
	}
	if other.Amount == row.Amount || other.Amount == 0 {
		return
	}
	o.Problems = append(o.Problems, fmt.Sprintf("%s in %s: %s and %s, so that it gets no row", row.SKU, row.Region, other.Amount.Exact(), row.Amount.Exact()))
	other.Amount = 0
	found[key] = other
}

// complete sets the day and the source of each row, and sorts the rows.
func (o *Offer) complete(found map[string]cost.Price) {
	for _, row := range found {
		if row.Amount > 0 {
			row.AsOf = o.Published.UTC().Truncate(24 * time.Hour)
			row.Sources = []string{"AWS price list " + o.Code + " " + o.Version}
			o.Prices = append(o.Prices, row)
		}
	}
	slices.SortFunc(o.Prices, func(a, b cost.Price) int {
		return cmp.Or(strings.Compare(a.SKU, b.SKU), strings.Compare(a.Region, b.Region))
	})
	slices.Sort(o.Problems)
}

// members calls visit for each member of a JSON object, at the member's value.
func members(d *json.Decoder, visit func(name string) error) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("%v at byte %d must be an object", t, d.InputOffset())
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := visit(name.(string)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// skip skips one JSON value.
func skip(d *json.Decoder) error {
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
