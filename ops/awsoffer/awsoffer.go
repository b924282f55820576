// Package awsoffer reads AWS's bulk price files (offer files), and compares them with
// the price table of policy/cost. It owns the format of these files, and the mapping
// from their products to rows of the price table. It downloads nothing.
//
// The files have the format of AWS's Price List Bulk API, "Reading service price list files":
// one JSON document with products, and with the terms (prices) of each product. The file of EC2
// has several hundred megabytes, so it is read as a stream.
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
	// Published is the time when AWS published the file.
	Published time.Time
	// Prices are the on-demand prices in dollars, by SKU of the price table and region.
	Prices []cost.Price
	// Problems are products that the price table can't use, such as two products with different
	// prices for one SKU.
	Problems []string
}

// Read reads an offer file.
func Read(r io.Reader) (Offer, error) {
	var offer Offer
	decoder := json.NewDecoder(r)
	// products are the rows without a price, by AWS's SKU. rows are the rows with a price, by region
	// and SKU of the price table.
	products, rows := map[string]cost.Price{}, map[string]cost.Price{}
	publicationDate := ""
	readers := map[string]func() error{
		"offerCode":       func() error { return decoder.Decode(&offer.Code) },
		"version":         func() error { return decoder.Decode(&offer.Version) },
		"publicationDate": func() error { return decoder.Decode(&publicationDate) },
		"products":        func() error { return offer.readProducts(decoder, products) },
		"terms": func() error {
			return forEachMember(decoder, func(kind string) error {
				if kind != "OnDemand" {
					return skipValue(decoder)
				}
				return forEachMember(decoder, func(sku string) error { return offer.readTerms(decoder, sku, products, rows) })
			})
		},
	}
	err := forEachMember(decoder, func(name string) error {
		if readField := readers[name]; readField != nil {
			return readField()
		}
		return skipValue(decoder)
	})
	if err != nil {
		return Offer{}, fmt.Errorf("offer file: %w", err)
	}
	if offer.Published, err = time.Parse(time.RFC3339, publicationDate); err != nil || offer.Code == "" {
		return Offer{}, errors.New("offer file: no offerCode and publicationDate: must be a JSON price list file of AWS for one service")
	}
	offer.fillPrices(rows)
	return offer, nil
}

// readProducts adds the products that can be rows of the price table to products, by AWS's SKU.
func (o *Offer) readProducts(decoder *json.Decoder, products map[string]cost.Price) error {
	return forEachMember(decoder, func(string) error {
		var p product
		if err := decoder.Decode(&p); err != nil {
			return err
		}
		if row := newPriceRow(o.Code, p); row.SKU != "" && p.SKU != "" {
			products[p.SKU] = row
		}
		return nil
	})
}

// readTerms adds the on-demand price of one product to rows. It skips a product that is not in
// products.
func (o *Offer) readTerms(decoder *json.Decoder, sku string, products, rows map[string]cost.Price) error {
	row, exists := products[sku]
	if !exists {
		return skipValue(decoder)
	}
	var terms map[string]term
	if err := decoder.Decode(&terms); err != nil {
		return err
	}
	for _, t := range terms {
		for _, dim := range t.Dimensions {
			usd, ok := dim.PerUnit["USD"]
			if !ok || cmp.Or(dim.BeginRange, "0") != "0" { // a price for a larger volume only
				continue
			}
			amount, err := cost.ParseMicros(usd)
			switch {
			case err != nil:
				o.Problems = append(o.Problems, fmt.Sprintf("%s: %v", row.SKU, err))
				continue
			case amount == 0: // a reservation or the free tier includes the usage
				continue
			}
			row.Amount = amount
			o.addRow(row, rows)
		}
	}
	return nil
}

// addRow adds a row. If two products have different prices for the row, it sets the amount to 0:
// the file does not show which price AWS bills. fillPrices leaves out such a row.
func (o *Offer) addRow(row cost.Price, rows map[string]cost.Price) {
	key := row.Region + " " + row.SKU
	other, seen := rows[key]
	if !seen {
		rows[key] = row
		return
	}
	if other.Amount == row.Amount || other.Amount == 0 {
		return
	}
	o.Problems = append(o.Problems, fmt.Sprintf("%s in %s: %s and %s, so it gets no row", row.SKU, row.Region, other.Amount.Exact(), row.Amount.Exact()))
	other.Amount = 0
	rows[key] = other
}

// fillPrices sets Prices to the rows that have an amount. It sets the day and the source of each
// row, and sorts the prices and the problems.
func (o *Offer) fillPrices(rows map[string]cost.Price) {
	for _, row := range rows {
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

// forEachMember calls visit with the name of each member of the JSON object that comes next. visit
// must read the value of the member.
func forEachMember(decoder *json.Decoder, visit func(name string) error) error {
	if t, err := decoder.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("%v at byte %d must be an object", t, decoder.InputOffset())
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		if err := visit(name.(string)); err != nil {
			return err
		}
	}
	_, err := decoder.Token()
	return err
}

// skipValue reads the next JSON value and drops it.
func skipValue(decoder *json.Decoder) error {
	for depth := 0; ; {
		t, err := decoder.Token()
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
