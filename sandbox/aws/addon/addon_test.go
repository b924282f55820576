package addon

import (
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const addonName = "aws-secrets-store-csi-driver-provider"

// startAPIServer starts an API server with a handler. It returns the path of a kubeconfig for
// this server. user is the user in the kubeconfig, as JSON.
func startAPIServer(t *testing.T, handler http.HandlerFunc, user string) string {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(path, []byte(`{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
		"clusters": [{"name": "k", "cluster": {"server": "`+server.URL+`", "certificate-authority-data": "`+base64.StdEncoding.EncodeToString(authority)+`"}}],
		"users": [{"name": "u", "user": `+user+`}]}`), 0o600))
	return path
}

func TestInstallAppliesTheDefinition(t *testing.T) {
	var requests []*http.Request
	var sent []byte
	kubeconfigPath := startAPIServer(t, func(_ http.ResponseWriter, r *http.Request) {
		requests = append(requests, r)
		sent, _ = io.ReadAll(r.Body)
	}, `{"token": "secret"}`)
	require.NoError(t, Install(t.Context(), "coredns", kubeconfigPath))
	require.Empty(t, requests, "this add-on has no CustomResourceDefinition")
	require.NoError(t, Install(t.Context(), addonName, kubeconfigPath))
	require.NoError(t, Install(t.Context(), addonName, kubeconfigPath), "a second installation")
	require.Len(t, requests, 2)
	require.Equal(t, http.MethodPatch, requests[0].Method)
	require.Equal(t, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretproviderclasses.secrets-store.csi.x-k8s.io", requests[0].URL.Path)
	require.Equal(t, "eks", requests[0].URL.Query().Get("fieldManager"))
	require.Equal(t, "Bearer secret", requests[0].Header.Get("Authorization"))

	var crd struct {
		Metadata struct{ Name string }
		Spec     struct {
			Group    string
			Names    struct{ Plural string }
			Versions []struct{ Schema map[string]any }
		}
	}
	require.NoError(t, yaml.Unmarshal(sent, &crd))
	require.Equal(t, crd.Spec.Names.Plural+"."+crd.Spec.Group, crd.Metadata.Name)
	require.Len(t, crd.Spec.Versions, 2)
	require.Equal(t, crd.Spec.Versions[0], crd.Spec.Versions[1], "both versions have the same schema")
}

func TestInstallReportsErrors(t *testing.T) {
	forbid := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no permission for definitions", http.StatusForbidden)
	}
	for _, row := range []struct{ reason, user, want string }{
		{"an API server that refuses", `{"token": "t"}`, "403 Forbidden: no permission for definitions"},
		{"an exec credential", `{"exec": {"command": "gke"}}`, "exec"},
		{"an invalid certificate", `{"client-certificate-data": "YQ==", "client-key-data": "YQ=="}`, "client certificate"},
	} {
		require.ErrorContains(t, Install(t.Context(), addonName, startAPIServer(t, forbid, row.user)), row.want, row.reason)
	}
}
