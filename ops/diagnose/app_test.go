package diagnose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate describes the certificate of a test server.
type certificate struct {
	// left is how long the certificate is still valid.
	left time.Duration
	// name is the host name in the certificate. The certificate is also valid for 127.0.0.1.
	name string
	// trusted means that the client trusts the authority of the certificate.
	trusted bool
	// useName means that the client uses the host name localhost instead of 127.0.0.1.
	useName bool
}

// startServer starts the server with the certificate. It returns the authorities that the client
// trusts.
func (c *certificate) startServer(t *testing.T, server *httptest.Server) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: c.name}, DNSNames: []string{c.name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(c.left), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	if c.trusted {
		leaf, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		roots.AddCert(leaf)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the failed handshakes are expected
	server.EnableHTTP2 = true
	server.StartTLS()
	if c.useName {
		server.URL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	}
	return roots
}

// TestEveryPhaseIsMeasured: the request resolves a name, opens a connection and starts TLS.
func TestEveryPhaseIsMeasured(t *testing.T) {
	const work = 30 * time.Millisecond
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(work)
		_, _ = io.WriteString(w, r.Proto+" "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	roots := (&certificate{left: time.Hour, name: "localhost", trusted: true, useName: true}).startServer(t, server)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	r := sendRequest(t.Context(), base, endpoint{"/", false}, goodToken, roots)
	require.NoError(t, r.err)
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, "HTTP/2.0 Bearer "+goodToken, string(r.body), "the request uses HTTP/2, as the clients of users do")
	for name, took := range map[string]time.Duration{"DNS": r.dns, "connect": r.connect, "TLS": r.tls} {
		require.Positive(t, took, name)
	}
	require.GreaterOrEqual(t, r.firstByte, r.dns+r.connect+r.tls+work)
	require.GreaterOrEqual(t, r.total, r.firstByte)
	require.WithinDuration(t, time.Now().Add(time.Hour), r.certificateEnd, time.Minute)
}

func TestCauseOfASlowResponseIsItsLongestPhase(t *testing.T) {
	const short, long = 10 * time.Millisecond, 700 * time.Millisecond
	for _, row := range []struct {
		phases phases
		cause  string
	}{
		{phases{dns: long, connect: short, tls: short, firstByte: long + 3*short}, "the resolver is slow"},
		{phases{dns: short, connect: long, tls: short, firstByte: long + 3*short}, "the network or the load balancer is slow"},
		{phases{dns: short, connect: short, tls: long, firstByte: long + 3*short}, "the TLS handshake is slow"},
		{phases{dns: short, connect: short, tls: short, firstByte: long + 3*short}, "the service computes for long, or waits for a store"},
		{phases{firstByte: long}, "the service computes for long, or waits for a store"},
	} {
		require.Equal(t, row.cause, explainSlowResponse(response{phases: row.phases}))
	}
}
