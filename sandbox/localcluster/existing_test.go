package localcluster

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// writeUserKubeconfig writes a user's kubeconfig with two contexts. The kubeconfig refers to
// other files in its folder. current is the name of the current context.
func writeUserKubeconfig(t *testing.T, server, current string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "user.token"), []byte("secret"), 0o600))
	path := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
clusters:
- {name: mine, cluster: {server: "`+server+`"}}
- {name: work, cluster: {server: "https://work.example.com"}}
users:
- {name: me, user: {client-certificate: user.crt, client-key: user.key}}
- {name: worker, user: {token: hunter2}}
contexts:
- {name: kind, context: {cluster: mine, user: me}}
- {name: work, context: {cluster: work, user: worker}}
current-context: `+current+"\n"), 0o600))
	p := pki{dir: dir}
	key, err := newKey()
	require.NoError(t, err)
	require.NoError(t, writeKey(p.key("user"), key))
	require.NoError(t, os.WriteFile(p.cert("user"), []byte("certificate"), 0o600))
	return path
}

func newExistingClusterLayout(t *testing.T, kubeconfig string) *layout.Layout {
	t.Helper()
	l, err := layout.Create(t.TempDir(), layout.Settings{Cluster: layout.ClusterExisting, Kubeconfig: kubeconfig, Registry: "localhost:5000"})
	require.NoError(t, err)
	return l
}

func TestExistingClusterIsUsedThroughACopyOfTheCurrentContext(t *testing.T) {
	var requested string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requested = r.URL.Path
		_, _ = io.WriteString(w, `{"major":"1"}`)
	}))
	defer srv.Close()
	l := newExistingClusterLayout(t, writeUserKubeconfig(t, srv.URL, "kind"))
	require.NoError(t, Start(t.Context(), l, progress.New(io.Discard, 0)))
	require.Equal(t, "/version", requested, "Start checks that the cluster answers")

	c, err := clientcmd.LoadFromFile(l.Kubeconfig())
	require.NoError(t, err)
	require.Equal(t, "kind", c.CurrentContext)
	require.Len(t, c.Contexts, 1, "the sandbox cannot reach another cluster")
	require.Len(t, c.AuthInfos, 1)
	require.Equal(t, "certificate", string(c.AuthInfos["me"].ClientCertificateData), "the copy needs no other file")
	require.Empty(t, c.AuthInfos["me"].ClientCertificate)
	info, err := os.Stat(l.Kubeconfig())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	require.NoError(t, Stop(t.Context(), l, progress.New(io.Discard, 0)))
	require.FileExists(t, l.Settings.Kubeconfig, "the user's file is not changed")
}

func TestErrorNamesTheProblemOfTheKubeconfig(t *testing.T) {
	stopped := httptest.NewServer(http.NotFoundHandler())
	stopped.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer refusing.Close()
	for _, tc := range []struct {
		reason, kubeconfig string
		want               []string
	}{
		{"no file named", "", []string{"KUBECONFIG"}},
		{"no such file", "/nowhere/config", []string{"/nowhere/config", "no such file"}},
		{"no current context", writeUserKubeconfig(t, stopped.URL, `""`), []string{"current context", "use-context"}},
		{"a context that does not exist", writeUserKubeconfig(t, stopped.URL, "lost"), []string{"lost"}},
		{"no server answers", writeUserKubeconfig(t, stopped.URL, "kind"), []string{`"kind"`, stopped.URL, "does not answer", "start it"}},
		{"the server refuses the user", writeUserKubeconfig(t, refusing.URL, "kind"), []string{"does not answer"}},
	} {
		l := newExistingClusterLayout(t, tc.kubeconfig)
		err := Start(t.Context(), l, progress.New(io.Discard, 0))
		for _, want := range tc.want {
			require.ErrorContains(t, err, want, tc.reason)
		}
		require.NoFileExists(t, l.Kubeconfig(), tc.reason)
	}
}
