// Package naming keeps the names that Pulumi makes up within the limits of AWS.
// It is pure.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxRole is IAM's longest name of a role (IAM User Guide, "IAM and STS
// quotas").
const MaxRole = 64

// Suffix is how much Pulumi adds to a logical name: a hyphen and seven letters.
const Suffix = 8

// mark is the length of the part of a hash that tells shortened names apart.
const mark = 6

// Fit is a logical name with which the name at AWS has at most limit letters.
// A name that fits stays as it is. Of a longer one the end is replaced by a
// part of its hash, so that two of them stay different and the same one stays
// the same.
func Fit(logical string, limit int) string {
	if len(logical)+Suffix <= limit {
		return logical
	}
	sum := sha256.Sum256([]byte(logical))
	kept := strings.TrimRight(logical[:limit-Suffix-mark-1], "-")
	return kept + "-" + hex.EncodeToString(sum[:])[:mark]
}
