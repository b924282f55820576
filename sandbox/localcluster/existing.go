package cluster

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/progressive-framework/platform/sandbox/home"
)

// copyContext copies the current context of the person's kubeconfig, with its
// certificates in it, and asks that cluster for its version. The copy is the
// sandbox's own: what the person does to theirs afterwards cannot lead the
// sandbox to another cluster.
func copyContext(ctx context.Context, h *home.Home) error {
	from := h.Settings.Kubeconfig
	if from == "" {
		return errors.New("an existing cluster needs a kubeconfig: set KUBECONFIG to the file of the cluster")
	}
	c, err := clientcmd.LoadFromFile(from)
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", from, err)
	}
	if err := flatten(c, from); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", from, err)
	}
	if err := answers(ctx, c); err != nil {
		server := c.Clusters[c.Contexts[c.CurrentContext].Cluster].Server
		return fmt.Errorf("context %q of %s: the cluster at %s does not answer: %w; start it, or choose another with `kubectl config use-context`",
			c.CurrentContext, from, server, err)
	}
	return writeKubeconfig(h.Kubeconfig(), c)
}

// flatten leaves the current context alone in c, and puts the files that it
// points at into it.
func flatten(c *clientcmdapi.Config, from string) error {
	if c.CurrentContext == "" {
		return errors.New("it has no current context: choose one with `kubectl config use-context`")
	}
	// Paths in a kubeconfig are relative to where it lies.
	for _, cluster := range c.Clusters {
		cluster.LocationOfOrigin = from
	}
	for _, user := range c.AuthInfos {
		user.LocationOfOrigin = from
	}
	if err := clientcmdapi.MinifyConfig(c); err != nil {
		return err
	}
	return clientcmdapi.FlattenConfig(c)
}

func answers(ctx context.Context, c *clientcmdapi.Config) error {
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
