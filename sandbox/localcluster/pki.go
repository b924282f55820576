package localcluster

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Certificates are valid for a year, and a Start in the last month renews them.
// Authorities are valid for ten years, which is longer than a sandbox exists. Kubernetes
// reloads renewed files by itself, so no process is restarted for them.
const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 365 * 24 * time.Hour
	renewBefore     = 30 * 24 * time.Hour
	// clockSkew is the time between the start of a new certificate's validity and its
	// creation. A certificate stays valid if the clock is set back by less than that.
	clockSkew = time.Hour
)

// certificate is one row of the table of certificates: NAME.crt and NAME.key.
type certificate struct {
	name      string
	authority string   // name of the authority that signs it
	user      string   // common name; for a client, its user in Kubernetes
	group     string   // organization; for a client, its group in Kubernetes
	server    bool     // the certificate is also valid for a server; each certificate is valid for a client
	hosts     []string // the names and IP addresses of the server
}

// authorities are the certificate authorities. etcd and the aggregation layer have their own
// authorities, so that they do not trust the certificates of the API server's clients.
var authorities = []string{"ca", "etcd-ca", "front-proxy-ca"}

var loopbackHosts = []string{"localhost", "127.0.0.1"}

var certificates = []certificate{
	{name: "apiserver", authority: "ca", user: "kube-apiserver", server: true, hosts: append([]string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + ClusterDomain,
		APIService, NodeAddress}, loopbackHosts...)},
	{name: "apiserver-kubelet-client", authority: "ca", user: "kube-apiserver-kubelet-client", group: "system:masters"},
	{name: "apiserver-etcd-client", authority: "etcd-ca", user: "kube-apiserver-etcd-client"},
	{name: "etcd", authority: "etcd-ca", user: "etcd", server: true, hosts: loopbackHosts},
	{name: "front-proxy-client", authority: "front-proxy-ca", user: frontProxyUser},
	{name: "controller-manager", authority: "ca", user: "system:kube-controller-manager", server: true, hosts: loopbackHosts},
	{name: "scheduler", authority: "ca", user: "system:kube-scheduler", server: true, hosts: loopbackHosts},
	{name: "kubelet", authority: "ca", user: "system:node:" + NodeName, group: "system:nodes", server: true,
		hosts: append([]string{NodeName, NodeAddress}, loopbackHosts...)},
	{name: "kube-proxy", authority: "ca", user: "system:kube-proxy"},
	{name: "admin", authority: "ca", user: "sandbox-admin", group: "system:masters"},
}

// frontProxyUser is the user of the aggregation layer's proxy. An aggregated API server lets
// only this user send requests on behalf of other users.
const frontProxyUser = "front-proxy-client"

// serviceAccountKey is the name of the key that signs the tokens of service accounts.
const serviceAccountKey = "service-account"

// pki is the folder of the cluster's certificates and keys.
type pki struct {
	dir string
	now time.Time
}

func (p pki) cert(name string) string { return filepath.Join(p.dir, name+".crt") }
func (p pki) key(name string) string  { return filepath.Join(p.dir, name+".key") }

// ensureCertificates creates missing certificates and keys. It replaces certificates that are
// damaged, expire soon, are signed by another authority or differ from the table. It returns
// the names of the certificates and keys that it wrote.
func (p pki) ensureCertificates() ([]string, error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	var written []string
	signers := map[string]*keyPair{}
	for _, name := range authorities {
		template := &x509.Certificate{
			Subject:               pkix.Name{CommonName: "sandbox-" + name},
			IsCA:                  true,
			BasicConstraintsValid: true,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		}
		authority, err := p.load(name)
		if err != nil || !p.staysValid(authority.cert) {
			if authority, err = p.issue(name, template, nil, authorityLife); err != nil { // self-signed
				return written, fmt.Errorf("authority %s: %w", name, err)
			}
			written = append(written, name)
		}
		signers[name] = authority
	}
	for _, c := range certificates {
		existing, err := p.load(c.name)
		if err == nil && p.staysValid(existing.cert) && c.matches(existing.cert, signers[c.authority].cert) {
			continue
		}
		if _, err := p.issue(c.name, c.template(), signers[c.authority], certificateLife); err != nil {
			return written, fmt.Errorf("certificate %s: %w", c.name, err)
		}
		written = append(written, c.name)
	}
	if _, err := readKey(p.key(serviceAccountKey)); err != nil {
		key, err := newKey()
		if err != nil {
			return written, err
		}
		if err := writeKey(p.key(serviceAccountKey), key); err != nil {
			return written, fmt.Errorf("service account key: %w", err)
		}
		written = append(written, serviceAccountKey)
	}
	return written, nil
}

// staysValid reports whether a certificate is valid now and does not expire soon.
func (p pki) staysValid(c *x509.Certificate) bool {
	return p.now.After(c.NotBefore) && p.now.Add(renewBefore).Before(c.NotAfter)
}

// template returns the template from which the certificate is created. It has no serial number and
// no validity; issue adds them.
func (c certificate) template() *x509.Certificate {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: c.user},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if c.group != "" {
		t.Subject.Organization = []string{c.group}
	}
	if c.server {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range c.hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

// matches reports whether an existing certificate agrees with its row of the table and
// was signed by signer.
func (c certificate) matches(existing, signer *x509.Certificate) bool {
	want := c.template()
	return existing.CheckSignatureFrom(signer) == nil &&
		existing.Subject.CommonName == want.Subject.CommonName &&
		slices.Equal(existing.Subject.Organization, want.Subject.Organization) &&
		slices.Equal(existing.ExtKeyUsage, want.ExtKeyUsage) &&
		slices.Equal(existing.DNSNames, want.DNSNames) &&
		slices.EqualFunc(existing.IPAddresses, want.IPAddresses, net.IP.Equal)
}

// keyPair is a certificate with its private key.
type keyPair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// load reads a certificate and its key. It returns an error if they do not belong together.
func (p pki) load(name string) (*keyPair, error) {
	raw, err := os.ReadFile(p.cert(name))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s contains no certificate", p.cert(name))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := readKey(p.key(name))
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("%s does not belong to %s", p.key(name), p.cert(name))
	}
	return &keyPair{cert, key}, nil
}

// issue writes a new certificate with a new key. If signer is nil, the certificate is
// self-signed.
func (p pki) issue(name string, template *x509.Certificate, signer *keyPair, life time.Duration) (*keyPair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = p.now.Add(-clockSkew), p.now.Add(life)
	parent, signingKey := template, crypto.Signer(key)
	if signer != nil {
		parent, signingKey = signer.cert, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signingKey)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// After a crash between the two writes, key and certificate do not match, and the next
	// ensureCertificates replaces both.
	if err := writeKey(p.key(name), key); err != nil {
		return nil, err
	}
	return &keyPair{cert, key}, writePEM(p.cert(name), "CERTIFICATE", der)
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func readKey(path string) (*ecdsa.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s contains no key", path)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return writeFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// writeFile replaces a file by a rename, so that a reader sees either the old or the new
// content. It writes nothing if the content is the same, because a changed file restarts
// processes.
func writeFile(path string, content []byte) error {
	current, err := os.ReadFile(path)
	if err == nil && bytes.Equal(current, content) {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
