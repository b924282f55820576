// Package naming shortens logical names, so that the names that Pulumi generates are
// within the limits of AWS. It imports no SDK.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// MaxRoleNameLength is the largest length of a role's name (IAM User Guide, "IAM and STS
// quotas").
const MaxRoleNameLength = 64

// SuffixLength is the number of characters that Pulumi adds to a logical name: a hyphen and
// seven letters.
const SuffixLength = 8

// hashLength is the number of hash characters that distinguish shortened names.
const hashLength = 6

// FitName returns a logical name that gives a name of at most limit characters at AWS. A
// name that fits is unchanged. FitName replaces the end of a longer name with a part of the name's
// hash, so that different names stay different.
func FitName(logical string, limit int) string {
	if len(logical)+SuffixLength <= limit {
		return logical
	}
	sum := sha256.Sum256([]byte(logical))
	prefix := strings.TrimRight(logical[:limit-SuffixLength-hashLength-1], "-")
	return prefix + "-" + hex.EncodeToString(sum[:])[:hashLength]
}
