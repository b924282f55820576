package localcluster

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// contextName is the name of the context, the cluster and the user in the
// sandbox's kubeconfigs.
const contextName = "sandbox"

// kubeconfigComponents are the names of the components that read a kubeconfig. Each component's
// certificate has the same name.
var kubeconfigComponents = []string{"controller-manager", "scheduler", "kubelet", "kube-proxy"}

// kubeconfigPath returns the path of a component's kubeconfig.
func kubeconfigPath(l *layout.Layout, name string) string {
	return filepath.Join(l.PKI(), name+".kubeconfig")
}

func apiServerURL(l *layout.Layout) string {
	return fmt.Sprintf("https://127.0.0.1:%d", l.Ports.APIServer)
}

// writeKubeconfigs writes the kubeconfigs of the components and of the administrator.
// The components' kubeconfigs refer to the certificate files, so that they stay valid
// when the certificates are renewed. The administrator's kubeconfig contains the
// certificates, so that it can be copied elsewhere.
func writeKubeconfigs(l *layout.Layout) error {
	p := pki{dir: l.PKI()}
	for _, name := range kubeconfigComponents {
		c := newKubeconfig(apiServerURL(l))
		c.Clusters[contextName].CertificateAuthority = p.cert("ca")
		c.AuthInfos[contextName].ClientCertificate = p.cert(name)
		c.AuthInfos[contextName].ClientKey = p.key(name)
		if err := writeKubeconfig(kubeconfigPath(l, name), c); err != nil {
			return err
		}
	}
	c := newKubeconfig(apiServerURL(l))
	for _, f := range []struct {
		path   string
		target *[]byte // the field of the kubeconfig for the content of the file
	}{
		{p.cert("ca"), &c.Clusters[contextName].CertificateAuthorityData},
		{p.cert("admin"), &c.AuthInfos[contextName].ClientCertificateData},
		{p.key("admin"), &c.AuthInfos[contextName].ClientKeyData},
	} {
		raw, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("administrator's kubeconfig: %w", err)
		}
		*f.target = raw
	}
	return writeKubeconfig(l.Kubeconfig(), c)
}

// newKubeconfig returns a kubeconfig for a server, without certificates.
func newKubeconfig(server string) *clientcmdapi.Config {
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
