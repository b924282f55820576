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

// product is a product of an offer file.
type product struct {
	SKU        string            `json:"sku"`
	Family     string            `json:"productFamily"`
	Attributes map[string]string `json:"attributes"`
}

// term is what a product costs under one kind of contract.
type term struct {
	Dimensions map[string]dimension `json:"priceDimensions"`
}

// dimension is one price of a term. A product with volume discounts has several.
type dimension struct {
	Unit       string            `json:"unit"`
	BeginRange string            `json:"beginRange"`
	PerUnit    map[string]string `json:"pricePerUnit"`
}

// Offer is what an offer file says about the rows that the price table may have.
type Offer struct {
	// Code is the service, such as AmazonEC2.
	Code string
	// Version is the version of the file, such as 20260924211011.
	Version string
	// Published is the day of the file.
	Published time.Time
	// Prices are the prices in dollars on demand, by SKU of the price table and region.
	Prices []cost.Price
	// Problems are products that give no row, such as two with different prices.
	Problems []string
}

// Read reads an offer file.
func Read(r io.Reader) (Offer, error) {
	var o Offer
	d := json.NewDecoder(r)
	// products has the rows of the products that the table may have, by AWS's SKU.
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

// readProducts keeps the products that a row of the table is for.
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
			if !ok || cmp.Or(dim.BeginRange, "0") != "0" { // the price of more than the first volume
				continue
			}
			amount, err := cost.ParseMicros(usd)
			switch {
			case err != nil:
				o.Problems = append(o.Problems, fmt.Sprintf("%s: %v", row.SKU, err))
				continue
			case amount == 0: // included in a reservation, or a free tier
				continue
			}
			row.Amount = amount
			o.keep(row, found)
		}
	}
	return nil
}

// keep adds a row. Two products with different prices give none, because it is not
// known which one is billed.
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

// complete fills in the rows' day and source, and sorts them.
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

// members calls visit at the value of each member of an object.
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

// skip passes over one value without keeping it.
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
