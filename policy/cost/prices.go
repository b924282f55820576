package cost

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// StaleAfter is the age from which a report marks a price as old. AWS changes the list
// price of an instance generation less than once a year.
const StaleAfter = 400 * 24 * time.Hour

// Price is a row of the price table.
type Price struct {
	// SKU names what is billed, such as ec2:m7i.xlarge.
	SKU string
	// Amount is the price of one unit.
	Amount Micros
	// Unit is what the price is for, such as hour.
	Unit   string
	Region string
	// AsOf is the day on which somebody read the price in the newest of Sources.
	AsOf time.Time
	// Sources are the documents that name the price. If they disagree, the table has no row.
	Sources []string
}

// IsStale reports whether the price is older than StaleAfter now. If now is zero, it returns
// false.
func (p Price) IsStale(now time.Time) bool { return !now.IsZero() && now.Sub(p.AsOf) > StaleAfter }

//go:embed prices.csv
var priceTable string

// header is the first line of the price table: the names of the columns.
const header = "sku,micro_usd,unit,region,as_of,sources"

// Prices returns the rows of the built-in price table. They are AWS's list prices
// on demand, in US dollars without tax.
var Prices = sync.OnceValue(func() []Price {
	rows, err := ParsePrices(priceTable)
	if err != nil {
		panic(err) // the table is part of the program, and a test reads it
	}
	return rows
})

// ParsePrices reads a price table in the form of prices.csv.
func ParsePrices(text string) ([]Price, error) {
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("price table: %w", err)
	}
	if len(records) == 0 || strings.Join(records[0], ",") != header {
		return nil, fmt.Errorf("price table: the first line must be %s", header)
	}
	var rows []Price
	for i, record := range records[1:] {
		p, err := parsePrice(record)
		if err != nil {
			return nil, fmt.Errorf("price table, row %d, %s: %w", i+1, record[0], err)
		}
		if slices.ContainsFunc(rows, func(q Price) bool { return q.SKU == p.SKU && q.Region == p.Region }) {
			return nil, fmt.Errorf("price table, row %d: %s in %s is there twice", i+1, p.SKU, p.Region)
		}
		rows = append(rows, p)
	}
	return rows, nil
}

// parsePrice converts a row of the price table, which has the columns of header.
func parsePrice(record []string) (Price, error) {
	amount, err := strconv.ParseInt(record[1], 10, 64)
	if err != nil || amount <= 0 {
		return Price{}, fmt.Errorf("micro_usd %q: must be a whole number above zero", record[1])
	}
	asOf, err := time.Parse(time.DateOnly, record[4])
	if err != nil {
		return Price{}, fmt.Errorf("as_of %q: must be a day such as 2026-10-02", record[4])
	}
	p := Price{SKU: record[0], Amount: Micros(amount), Unit: record[2], Region: record[3], AsOf: asOf}
	for source := range strings.SplitSeq(record[5], ";") {
		if source = strings.TrimSpace(source); source != "" {
			p.Sources = append(p.Sources, source)
		}
	}
	if p.SKU == "" || p.Unit == "" || p.Region == "" || len(p.Sources) == 0 {
		return Price{}, fmt.Errorf("sku, unit, region and sources must not be empty")
	}
	return p, nil
}
