// Package names checks the domain names of a certificate, and selects those that
// need a validation record. It imports no SDK.
package names

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxFirstLength is the largest length of the first name, which becomes the common
	// name of the certificate (RFC 5280, ub-common-name).
	maxFirstLength = 64
	// maxNameLength is the largest length of a DNS name (RFC 1035).
	maxNameLength = 253
	// maxNames is ACM's default quota (ACM User Guide, "Quotas").
	maxNames = 10
)

// domainNamePattern matches a domain name in lower case, with or without a wildcard as its
// first label.
var domainNamePattern = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// Check returns all errors in the names of a certificate, joined into one error.
func Check(domains []string) error {
	var errs []error
	if len(domains) == 0 || len(domains) > maxNames {
		errs = append(errs, fmt.Errorf("%d names: a certificate must have 1 to %d", len(domains), maxNames))
	}
	for i, n := range domains {
		switch {
		case !domainNamePattern.MatchString(n) || len(n) > maxNameLength:
			errs = append(errs, fmt.Errorf("%q: must be a domain name in lower case, such as example.com or *.example.com", n))
		case i == 0 && len(n) > maxFirstLength:
			errs = append(errs, fmt.Errorf("%q has %d characters: the first name must have at most %d", n, len(n), maxFirstLength))
		case slices.Contains(domains[:i], n):
			errs = append(errs, fmt.Errorf("%q is listed twice: remove one", n))
		}
	}
	return errors.Join(errs...)
}

// ValidationDomains returns the names that need a validation record, in the same order. A
// name and its wildcard share one record (ACM User Guide, "DNS validation").
func ValidationDomains(domains []string) []string {
	var needing []string
	seen := map[string]bool{}
	for _, n := range domains {
		base := strings.TrimPrefix(n, "*.")
		if !seen[base] {
			seen[base] = true
			needing = append(needing, n)
		}
	}
	return needing
}
