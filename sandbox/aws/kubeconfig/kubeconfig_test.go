package kubeconfig

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadReturnsTheCurrentContext(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.crt"), []byte("authority"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte("from-file"), 0o600))
	authority := base64.StdEncoding.EncodeToString([]byte("authority"))
	const head = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
	cluster := "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1', certificate-authority: ca.crt}}]\n"
	for _, row := range []struct {
		reason, text string
		want         Context
		wantErr      string
	}{
		{"a token", head + cluster + "users: [{name: u, user: {token: t}}]", Context{Server: "https://127.0.0.1:1", Authority: authority, Token: "t"}, ""},
		{"a token in a file", head + cluster + "users: [{name: u, user: {tokenFile: token}}]", Context{Server: "https://127.0.0.1:1", Authority: authority, Token: "from-file"}, ""},
		{"no current context", "contexts: []", Context{}, `the current context "" does not exist`},
		{"no cluster", head + "clusters: []\nusers: [{name: u, user: {token: t}}]", Context{}, `the cluster "k", which does not exist`},
		{"no YAML", "{", Context{}, "kubeconfig"},
		{"a certificate in a file that does not exist", head + cluster + "users: [{name: u, user: {client-certificate: none.crt}}]", Context{}, "client certificate"},
	} {
		path := filepath.Join(dir, "config")
		require.NoError(t, os.WriteFile(path, []byte(row.text), 0o600))
		current, err := Read(path)
		if row.wantErr != "" {
			require.ErrorContains(t, err, row.wantErr, row.reason)
			continue
		}
		require.NoError(t, err, row.reason)
		require.NoError(t, current.CredentialError())
		require.Equal(t, row.want, *current, row.reason)
	}
	_, err := Read(filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "make up writes it")
}
