package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// accountDir is the folder with the pod's service account token and the CA certificate of
// the API server. The kubelet mounts the folder (Kubernetes, "Accessing the Kubernetes API from a Pod").
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// apiServer is a client of a cluster's API server. token is the service account token.
type apiServer struct {
	url, token string
	client     *http.Client
}

// newClusterAPIServer returns a client of the API server of the pod's cluster.
func newClusterAPIServer() (*apiServer, error) {
	token, err := os.ReadFile(filepath.Join(accountDir, "token"))
	if err != nil {
		return nil, fmt.Errorf("read the service account token: %w", err)
	}
	caCertificate, err := os.ReadFile(filepath.Join(accountDir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the CA certificate of the API server: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caCertificate) {
		return nil, fmt.Errorf("%s has no certificate, must have the CA certificate of the API server", filepath.Join(accountDir, "ca.crt"))
	}
	return &apiServer{
		url:    "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")),
		token:  strings.TrimSpace(string(token)),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}},
	}, nil
}

// setCABundle sets the field caBundle of a webhook to the certificate. The API server then
// trusts the certificate. setCABundle sends a strategic merge patch, which finds the webhook by its name and
// changes no other field.
func (s *apiServer) setCABundle(ctx context.Context, configuration, webhook string, certificate []byte) error {
	patch, err := json.Marshal(map[string]any{"webhooks": []any{map[string]any{
		"name": webhook, "clientConfig": map[string]any{"caBundle": certificate}, // []byte is base64 in JSON
	}}})
	if err != nil {
		return fmt.Errorf("create the patch of MutatingWebhookConfiguration %s: %w", configuration, err)
	}
	patchURL := s.url + "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/" + url.PathEscape(configuration) + "?fieldManager=webhookcert"
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, patchURL, bytes.NewReader(patch))
	if err != nil {
		return fmt.Errorf("create the patch of MutatingWebhookConfiguration %s: %w", configuration, err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "application/strategic-merge-patch+json")
	response, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("patch of MutatingWebhookConfiguration %s: %w", configuration, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<12))
		return fmt.Errorf("patch of MutatingWebhookConfiguration %s: %s: %s", configuration, response.Status, bytes.TrimSpace(body))
	}
	return nil
}
