// Package names checks the domain names of a certificate, and selects those that
// need a validation record. It is pure.
package names

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxFirst is the largest length of the first name, which becomes the common
	// name of the certificate (RFC 5280, ub-common-name).
	maxFirst = 64
	// maxName is the largest length of a DNS name (RFC 1035).
	maxName = 253
	// maxNames is ACM's default quota (ACM User Guide, "Quotas").
	maxNames = 10
)

var domainName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// Check returns all errors in the names of a certificate, joined into one error.
func Check(all []string) error {
	var errs []error
	if len(all) == 0 || len(all) > maxNames {
		errs = append(errs, fmt.Errorf("%d names: a certificate must have 1 to %d", len(all), maxNames))
	}
	for i, n := range all {
		switch {
		case !domainName.MatchString(n) || len(n) > maxName:
			errs = append(errs, fmt.Errorf("%q: must be a domain name in lower case, such as example.com or *.example.com", n))
		case i == 0 && len(n) > maxFirst:
			errs = append(errs, fmt.Errorf("%q has %d characters: the first name must have at most %d", n, len(n), maxFirst))
		case slices.Contains(all[:i], n):
			errs = append(errs, fmt.Errorf("%q is listed twice: remove one", n))
		}
	}
	return errors.Join(errs...)
}

// NeedingValidation returns the names that need a validation record, in the same order. A
// name and its wildcard share one record (ACM User Guide, "DNS validation").
func NeedingValidation(all []string) []string {
	var needing []string
	seen := map[string]bool{}
	for _, n := range all {
		base := strings.TrimPrefix(n, "*.")
		if !seen[base] {
			seen[base] = true
			needing = append(needing, n)
		}
	}
	return needing
}
