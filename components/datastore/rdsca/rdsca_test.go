package rdsca

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDigestIsThatOfTheBundle(t *testing.T) {
	sum := sha256.Sum256(bundle)
	require.Equal(t, Digest, hex.EncodeToString(sum[:]))
}

// Each certificate is self-signed, is a root CA of the region in its comment, and is valid until
// 2060 or longer.
func TestEachRegionHasThreeRootCertificates(t *testing.T) {
	regions := map[string]bool{}
	for _, line := range strings.Split(string(bundle), "\n") {
		if name, ok := strings.CutPrefix(line, "# Amazon RDS "); ok {
			regions[strings.Fields(name)[0]] = true
		}
	}
	require.Len(t, regions, 27)
	for region := range regions {
		remaining, count := Certificates(region), 0
		for {
			var block *pem.Block
			if block, remaining = pem.Decode(remaining); block == nil {
				break
			}
			count++
			certificate, err := x509.ParseCertificate(block.Bytes)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(certificate.Subject.CommonName, "Amazon RDS "+region+" Root CA "), certificate.Subject)
			require.True(t, certificate.IsCA)
			require.NoError(t, certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature))
			require.True(t, certificate.NotAfter.After(time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)))
		}
		require.Equal(t, 3, count, region)
	}
	require.Empty(t, Certificates("mx-central-1"))
	require.Empty(t, Certificates("east-1"))
}
