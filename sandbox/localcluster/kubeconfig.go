package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/progressive-framework/platform/sandbox/home"
)

// contextName is the context, the cluster and the user in our kubeconfigs.
const contextName = "sandbox"

// kubeconfigs are the clients of the API server that read one, by the name of
// their certificate.
var kubeconfigs = []string{"controller-manager", "scheduler", "kubelet", "kube-proxy"}

func kubeconfigPath(h *home.Home, name string) string {
	return filepath.Join(h.PKI(), name+".kubeconfig")
}

func apiServerURL(h *home.Home) string { return fmt.Sprintf("https://127.0.0.1:%d", h.Ports.APIServer) }

// writeKubeconfigs writes those of the components, which point at the
// certificates and so follow their renewal, and the administrator's, which
// holds them and so can be copied elsewhere.
func writeKubeconfigs(h *home.Home) error {
	p := pki{dir: h.PKI()}
	for _, name := range kubeconfigs {
		c := kubeconfig(apiServerURL(h))
		c.Clusters[contextName].CertificateAuthority = p.cert("ca")
		c.AuthInfos[contextName].ClientCertificate = p.cert(name)
		c.AuthInfos[contextName].ClientKey = p.key(name)
		if err := writeKubeconfig(kubeconfigPath(h, name), c); err != nil {
			return err
		}
	}
	c := kubeconfig(apiServerURL(h))
	for _, f := range []struct {
		path string
		into *[]byte
	}{
		{p.cert("ca"), &c.Clusters[contextName].CertificateAuthorityData},
		{p.cert("admin"), &c.AuthInfos[contextName].ClientCertificateData},
		{p.key("admin"), &c.AuthInfos[contextName].ClientKeyData},
	} {
		raw, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("administrator's kubeconfig: %w", err)
		}
		*f.into = raw
	}
	return writeKubeconfig(h.Kubeconfig(), c)
}

func kubeconfig(server string) *clientcmdapi.Config {
	c := clientcmdapi.NewConfig()
	c.Clusters[contextName] = &clientcmdapi.Cluster{Server: server}
	c.AuthInfos[contextName] = &clientcmdapi.AuthInfo{}
	c.Contexts[contextName] = &clientcmdapi.Context{Cluster: contextName, AuthInfo: contextName}
	c.CurrentContext = contextName
	return c
}

func writeKubeconfig(path string, c *clientcmdapi.Config) error {
	raw, err := clientcmd.Write(*c)
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if err := writeFile(path, raw); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}
