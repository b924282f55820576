package localcluster

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// copyContext checks that the cluster of the current context in the user's kubeconfig answers,
// and then writes a copy of this context. The copy contains the certificates, so it does not
// refer to the user's files. The sandbox uses the copy, so that a later change of the user's
// file cannot direct the sandbox to another cluster.
func copyContext(ctx context.Context, l *layout.Layout) error {
	path := l.Settings.Kubeconfig
	if path == "" {
		return errors.New("an existing cluster needs a kubeconfig: set KUBECONFIG to the file of the cluster")
	}
	c, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if err := keepOnlyCurrentContext(c, path); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	if err := checkReachable(ctx, c); err != nil {
		server := c.Clusters[c.Contexts[c.CurrentContext].Cluster].Server
		return fmt.Errorf("context %q of %s: the cluster at %s does not answer: %w; start it, or choose another with `kubectl config use-context`",
			c.CurrentContext, path, server, err)
	}
	return writeKubeconfig(l.Kubeconfig(), c)
}

// keepOnlyCurrentContext removes every context except the current one, and replaces references
// to files by the content of the files. path is the path of the kubeconfig.
func keepOnlyCurrentContext(c *clientcmdapi.Config, path string) error {
	if c.CurrentContext == "" {
		return errors.New("it has no current context: choose one with `kubectl config use-context`")
	}
	// Paths in a kubeconfig are relative to its folder.
	for _, cluster := range c.Clusters {
		cluster.LocationOfOrigin = path
	}
	for _, user := range c.AuthInfos {
		user.LocationOfOrigin = path
	}
	if err := clientcmdapi.MinifyConfig(c); err != nil {
		return err
	}
	return clientcmdapi.FlattenConfig(c)
}

// checkReachable returns an error if the cluster does not answer a request for its version. Any
// version is accepted.
func checkReachable(ctx context.Context, c *clientcmdapi.Config) error {
	conf, err := clientcmd.NewDefaultClientConfig(*c, nil).ClientConfig()
	if err != nil {
		return err
	}
	conf.Timeout = checkTimeout
	client, err := discovery.NewDiscoveryClientForConfig(conf)
	if err != nil {
		return err
	}
	return client.RESTClient().Get().AbsPath("/version").Do(ctx).Error()
}
