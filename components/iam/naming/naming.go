// Package naming shortens logical names, so that the names that Pulumi generates are
// within the limits of AWS. It is pure.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxRole is the largest length of a role's name (IAM User Guide, "IAM and STS
// quotas").
const MaxRole = 64

// Suffix is the number of characters that Pulumi adds to a logical name: a hyphen and
// seven letters.
const Suffix = 8

// hashLength is the number of hash characters that distinguish shortened names.
const hashLength = 6

// Fit returns a logical name whose name at AWS has at most limit characters. A name that
// fits is unchanged. The end of a longer name is replaced by a part of its hash, so that
// different names stay different.
func Fit(logical string, limit int) string {
	if len(logical)+Suffix <= limit {
		return logical
	}
	sum := sha256.Sum256([]byte(logical))
	kept := strings.TrimRight(logical[:limit-Suffix-hashLength-1], "-")
	return kept + "-" + hex.EncodeToString(sum[:])[:hashLength]
}
