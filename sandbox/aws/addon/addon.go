// Package addon installs the CustomResourceDefinition of an EKS add-on into Kubernetes. EKS
// also installs the add-on's controllers and drivers. The stand-in does not, so nothing
// acts on objects of the defined kind.
package addon

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/kubeconfig"
)

//go:embed secretproviderclasses.yaml
var secretProviderClasses []byte

// definition is a CustomResourceDefinition.
type definition struct {
	name string
	yaml []byte
}

// definitions maps the name of an EKS add-on to its definition.
var definitions = map[string]definition{
	"aws-secrets-store-csi-driver-provider": {"secretproviderclasses.secrets-store.csi.x-k8s.io", secretProviderClasses},
}

// applyTimeout limits the request to the API server. An API server on this machine responds in
// milliseconds, so the limit only ends a request to a server that hangs.
const applyTimeout = 30 * time.Second

// Install applies the definition of an add-on in the cluster of the kubeconfig's current
// context. It does nothing for an add-on without a definition. A second call changes
// nothing. Definitions are never removed, because all EKS clusters of a sandbox are the
// same Kubernetes cluster.
func Install(ctx context.Context, name, kubeconfigPath string) error {
	d, known := definitions[name]
	if !known {
		return nil
	}
	current, err := kubeconfig.Read(kubeconfigPath)
	if err != nil {
		return err
	}
	client, err := newClient(current)
	if err != nil {
		return fmt.Errorf("kubeconfig %s: %w", kubeconfigPath, err)
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	if err := d.apply(ctx, client, current); err != nil {
		return fmt.Errorf("definition %s of add-on %s: %w", d.name, name, err)
	}
	return nil
}

// apply sends the definition to the API server of a cluster as a server-side apply.
func (d definition) apply(ctx context.Context, client *http.Client, cluster *kubeconfig.Context) error {
	url := cluster.Server + "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + d.name + "?fieldManager=eks&force=true"
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, bytes.NewReader(d.yaml))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/apply-patch+yaml")
	if cluster.Token != "" {
		req.Header.Set("Authorization", "Bearer "+cluster.Token)
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the API server does not answer: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		body, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return errors.Join(fmt.Errorf("the API server responds with %s: %s", res.Status, body), err)
	}
	return nil
}

// newClient returns an HTTP client for the API server of a kubeconfig's context. The client
// trusts the certificate authority and uses the client certificate, if the context has them.
func newClient(c *kubeconfig.Context) (*http.Client, error) {
	if err := c.CredentialError(); err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Authority != "" {
		pem, err := base64.StdEncoding.DecodeString(c.Authority)
		if err != nil {
			return nil, fmt.Errorf("certificate authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("certificate authority: contains no certificate")
		}
	}
	if c.Certificate != "" {
		pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key))
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}, nil
}
