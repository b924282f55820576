package localcluster

import (
	"crypto/x509"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestCertificatesAreAcceptedOnlyByTheirAuthority(t *testing.T) {
	now := time.Now()
	p := pki{dir: t.TempDir(), now: now}
	_, err := p.ensureCertificates()
	require.NoError(t, err)
	for _, c := range certificates {
		authority, err := p.load(c.authority)
		require.NoError(t, err, c.name)
		pair, err := p.load(c.name)
		require.NoError(t, err, c.name)
		roots := x509.NewCertPool()
		roots.AddCert(authority.cert)
		_, err = pair.cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		require.NoError(t, err, "%s as a client", c.name)
		for _, host := range c.hosts {
			_, err = pair.cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, DNSName: host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
			require.NoError(t, err, "%s as the server %s", c.name, host)
		}
		for _, other := range authorities {
			if other == c.authority {
				continue
			}
			signer, err := p.load(other)
			require.NoError(t, err)
			require.Error(t, pair.cert.CheckSignatureFrom(signer.cert), "%s must not be accepted where %s is trusted", c.name, other)
		}
		info, err := os.Stat(p.key(c.name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), "only its owner reads a key")
	}
}

func TestAPIServerCertificateHasItsAddresses(t *testing.T) {
	p := pki{dir: t.TempDir(), now: time.Now()}
	_, err := p.ensureCertificates()
	require.NoError(t, err)
	apiServer, err := p.load("apiserver")
	require.NoError(t, err)
	for _, tc := range []struct{ host, reason string }{
		{"127.0.0.1", "from the machine"},
		{NodeAddress, "from pods, behind the service"},
		{APIService, "from pods, by the service's address"},
		{"kubernetes.default.svc", "from pods, by name"},
		{"kubernetes.default.svc.cluster.local", "from pods, by full name"},
	} {
		require.NoError(t, apiServer.cert.VerifyHostname(tc.host), tc.reason)
	}
}

func TestCertificatesAreRenewedWhenNeeded(t *testing.T) {
	created := time.Now()
	allCertificates := len(certificates)
	for _, tc := range []struct {
		reason string
		at     time.Time
		damage func(*testing.T, pki)
		want   []string // the names that ensureCertificates must return; nil for none
		count  int      // if positive, only the number of names is checked, and want is not
	}{
		{reason: "nothing is wrong", at: created},
		{reason: "more than a month is left", at: created.Add(certificateLife - renewBefore - time.Hour)},
		{reason: "less than a month is left", at: created.Add(certificateLife - renewBefore + time.Hour), count: allCertificates},
		{reason: "expired", at: created.Add(2 * certificateLife), count: allCertificates},
		{reason: "the clock was set far back", at: created.Add(-24 * time.Hour), count: allCertificates + len(authorities)},
		{reason: "a certificate is missing", at: created, want: []string{"kubelet"},
			damage: func(t *testing.T, p pki) { require.NoError(t, os.Remove(p.cert("kubelet"))) }},
		{reason: "a key is cut off", at: created, want: []string{"scheduler"},
			damage: func(t *testing.T, p pki) { require.NoError(t, os.Truncate(p.key("scheduler"), 10)) }},
		{reason: "key and certificate do not match, as after a crash between two writes", at: created, want: []string{"admin"},
			damage: func(t *testing.T, p pki) {
				key, err := newKey()
				require.NoError(t, err)
				require.NoError(t, writeKey(p.key("admin"), key))
			}},
		{reason: "an authority is missing, so all that it signed is replaced", at: created, want: []string{"etcd-ca", "apiserver-etcd-client", "etcd"},
			damage: func(t *testing.T, p pki) { require.NoError(t, os.Remove(p.key("etcd-ca"))) }},
		{reason: "the key of service accounts is missing", at: created, want: []string{serviceAccountKey},
			damage: func(t *testing.T, p pki) { require.NoError(t, os.Remove(p.key(serviceAccountKey))) }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			p := pki{dir: t.TempDir(), now: created}
			_, err := p.ensureCertificates()
			require.NoError(t, err)
			if tc.damage != nil {
				tc.damage(t, p)
			}
			p.now = tc.at
			written, err := p.ensureCertificates()
			require.NoError(t, err)
			if tc.count > 0 {
				require.Len(t, written, tc.count)
			} else {
				require.Equal(t, tc.want, written)
			}
			written, err = p.ensureCertificates()
			require.NoError(t, err)
			require.Empty(t, written, "a second call writes nothing")
		})
	}
}

func TestCertificateThatDiffersFromTheTableIsReplaced(t *testing.T) {
	p := pki{dir: t.TempDir(), now: time.Now()}
	_, err := p.ensureCertificates()
	require.NoError(t, err)
	kubelet, err := p.load("kubelet")
	require.NoError(t, err)
	signer, err := p.load("ca")
	require.NoError(t, err)
	row := certificates[7]
	require.Equal(t, "kubelet", row.name)
	require.True(t, row.matches(kubelet.cert, signer.cert))
	for _, tc := range []struct {
		reason string
		change func(*certificate)
	}{
		{"another user", func(c *certificate) { c.user = "x" }},
		{"another group", func(c *certificate) { c.group = "x" }},
		{"no server", func(c *certificate) { c.server = false }},
		{"another address", func(c *certificate) { c.hosts = []string{NodeName, "127.0.0.2"} }},
		{"another name", func(c *certificate) { c.hosts = []string{"x", NodeAddress} }},
	} {
		c := row
		tc.change(&c)
		require.False(t, c.matches(kubelet.cert, signer.cert), tc.reason)
	}
}

func TestAdministratorsKubeconfigContainsTheKeyAndOthersReferToIt(t *testing.T) {
	l := newTestLayout(t, layout.ClusterLocal)
	_, err := pki{dir: l.PKI(), now: time.Now()}.ensureCertificates()
	require.NoError(t, err)
	require.NoError(t, writeKubeconfigs(l))

	c, err := clientcmd.LoadFromFile(l.Kubeconfig())
	require.NoError(t, err)
	require.Equal(t, "sandbox", c.CurrentContext)
	require.Equal(t, "https://127.0.0.1:6443", c.Clusters["sandbox"].Server)
	require.NotEmpty(t, c.AuthInfos["sandbox"].ClientKeyData, "the administrator's kubeconfig contains the key, so that it can be copied")
	info, err := os.Stat(l.Kubeconfig())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	for _, name := range kubeconfigComponents {
		c, err := clientcmd.LoadFromFile(kubeconfigPath(l, name))
		require.NoError(t, err)
		require.FileExists(t, c.AuthInfos["sandbox"].ClientKey, "a component's kubeconfig refers to the key's file, which may be renewed")
	}
}

func TestAddressesAreOutsidePrivateNetworks(t *testing.T) {
	for _, cidr := range []string{PodCIDR, ServiceCIDR, NodeAddress + "/32", APIService + "/32", DNSAddress + "/32", podGateway + "/32"} {
		ip, _, err := net.ParseCIDR(cidr)
		require.NoError(t, err)
		require.False(t, ip.IsPrivate(), "%s could be the user's network", cidr)
	}
	_, pods, _ := net.ParseCIDR(PodCIDR)
	_, services, _ := net.ParseCIDR(ServiceCIDR)
	require.True(t, pods.Contains(net.ParseIP(podGateway)))
	require.True(t, services.Contains(net.ParseIP(APIService)))
	require.True(t, services.Contains(net.ParseIP(DNSAddress)))
	require.False(t, pods.Contains(net.ParseIP(NodeAddress)), "the plugin could give a pod the node's address")
}
