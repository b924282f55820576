// Package names says which names a certificate may have, and which of them
// need a record by which ACM sees that they are ours. It is pure.
package names

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxFirst is the longest first name: it becomes the certificate's common
	// name (RFC 5280, ub-common-name).
	maxFirst = 64
	// maxName is the longest name of DNS (RFC 1035).
	maxName = 253
	// maxNames is ACM's default quota (ACM User Guide, "Quotas").
	maxNames = 10
)

var name = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`)

// Check says what is wrong with the names of a certificate, all at once.
func Check(all []string) error {
	var errs []error
	if len(all) == 0 || len(all) > maxNames {
		errs = append(errs, fmt.Errorf("a certificate has 1 to %d names, not %d", maxNames, len(all)))
	}
	for i, n := range all {
		switch {
		case !name.MatchString(n) || len(n) > maxName:
			errs = append(errs, fmt.Errorf("%q is not a name in lower case such as example.com or *.example.com", n))
		case i == 0 && len(n) > maxFirst:
			errs = append(errs, fmt.Errorf("%q has %d characters; the first name has at most %d", n, len(n), maxFirst))
		case slices.Contains(all[:i], n):
			errs = append(errs, fmt.Errorf("%q is listed twice", n))
		}
	}
	return errors.Join(errs...)
}

// Validated are those of the names that get a validation record, in order: a
// name and its wildcard share one (ACM User Guide, "DNS validation").
func Validated(all []string) []string {
	var own []string
	seen := map[string]bool{}
	for _, n := range all {
		base := strings.TrimPrefix(n, "*.")
		if !seen[base] {
			seen[base] = true
			own = append(own, n)
		}
	}
	return own
}
