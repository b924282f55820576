package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const host = "vpa-webhook.app-vpa.svc"

// arguments returns the arguments of a run that writes the certificate to dir.
func arguments(dir string) []string {
	return []string{"-host", host, "-dir", dir, "-configuration", "app-vpa", "-webhook", "vpa.k8s.io"}
}

// startFakeAPIServer starts a fake API server that responds with the status. It stores the
// certificate of the patch in *caBundle. The result is the argument connect of run.
func startFakeAPIServer(t *testing.T, status int, caBundle *[]byte) func() (*apiServer, error) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/app-vpa", r.URL.Path)
		assert.Equal(t, "Bearer t", r.Header.Get("Authorization"))
		assert.Equal(t, "application/strategic-merge-patch+json", r.Header.Get("Content-Type"))
		var patch struct {
			Webhooks []struct {
				Name         string
				ClientConfig struct{ CABundle []byte }
			}
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&patch))
		if assert.Len(t, patch.Webhooks, 1) {
			assert.Equal(t, "vpa.k8s.io", patch.Webhooks[0].Name)
			*caBundle = patch.Webhooks[0].ClientConfig.CABundle
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "the response body")
	}))
	t.Cleanup(s.Close)
	return func() (*apiServer, error) { return &apiServer{url: s.URL, token: "t", client: s.Client()}, nil }
}

// A client that trusts the patched certificate can connect to a server with the written files. It
// can connect by the webhook's name, and by no other name.
func TestAPIServerTrustsTheWrittenCertificate(t *testing.T) {
	dir, caBundle := t.TempDir(), []byte(nil)
	require.NoError(t, run(t.Context(), arguments(dir), startFakeAPIServer(t, http.StatusOK, &caBundle)))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	require.NoError(t, err)
	webhook := httptest.NewUnstartedServer(http.NotFoundHandler())
	webhook.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	webhook.StartTLS()
	defer webhook.Close()

	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(caBundle))
	call := func(name string) error {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, webhook.Listener.Addr().String())
			},
		}}
		defer client.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+name, nil)
		require.NoError(t, err)
		response, err := client.Do(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	require.NoError(t, call(host))
	require.ErrorContains(t, call("another.app-vpa.svc"), "not another.app-vpa.svc")

	for _, name := range []string{"tls.crt", "tls.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

func TestEachRunHasItsOwnKey(t *testing.T) {
	first, err := newPair(host, time.Now())
	require.NoError(t, err)
	second, err := newPair(host, time.Now())
	require.NoError(t, err)
	require.NotEqual(t, first.key, second.key)
	require.NotEqual(t, first.certificate, second.certificate)
}

func TestRunReportsErrors(t *testing.T) {
	var caBundle []byte
	err := run(t.Context(), nil, startFakeAPIServer(t, http.StatusOK, &caBundle))
	for _, flag := range []string{"-host", "-dir", "-configuration", "-webhook"} {
		require.ErrorContains(t, err, flag+" is empty")
	}
	require.ErrorContains(t, run(t.Context(), arguments(filepath.Join(t.TempDir(), "missing")), startFakeAPIServer(t, http.StatusOK, &caBundle)), "no such file")
	require.ErrorContains(t, run(t.Context(), arguments(t.TempDir()), startFakeAPIServer(t, http.StatusForbidden, &caBundle)),
		"patch of MutatingWebhookConfiguration app-vpa: 403 Forbidden: the response body")
}
