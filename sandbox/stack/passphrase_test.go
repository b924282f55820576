package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/home"
)

// saltFor "sandbox" was written by pulumi 3.259.0.
const saltFor = "v1:K8o70wNDgp0=:v1:6LccYHk7xVtS5NGK:kpouJhHOGTjn10ViKhxT6JCu+u1DhA=="

func TestPassphraseFits(t *testing.T) {
	cases := []struct {
		reason, phrase, stack string
		want                  bool
		err                   string
	}{
		{"the right one, with an editor's newline", "sandbox\n", "encryptionsalt: " + saltFor, true, ""},
		{"a wrong one", "secret", "encryptionsalt: " + saltFor, false, ""},
		{"a stack without salt takes any", "x", "config: {}", true, ""},
		{"a salt of another form", "x", "encryptionsalt: v2:a", false, "unknown form"},
		{"a damaged salt", "x", "encryptionsalt: v1:?:v1:a:b", false, "encryptionsalt"},
		{"malformed YAML", "x", "config: [", false, "Pulumi.x.yaml"},
	}
	for _, c := range cases {
		t.Run(c.reason, func(t *testing.T) {
			dir := t.TempDir()
			phrase, stack := filepath.Join(dir, "passphrase"), filepath.Join(dir, "Pulumi.x.yaml")
			require.NoError(t, os.WriteFile(phrase, []byte(c.phrase), 0o600))
			require.NoError(t, os.WriteFile(stack, []byte(c.stack), 0o600))
			got, err := passphraseFits(phrase, stack)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestExplainNamesTheFileOfAWrongPassphrase(t *testing.T) {
	h, err := home.Create(t.TempDir(), home.Settings{})
	require.NoError(t, err)
	require.NoError(t, EnsurePassphrase(h))
	info, err := os.Stat(h.Passphrase())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	dir := t.TempDir()
	config := filepath.Join(dir, "Pulumi.x.yaml")
	require.NoError(t, os.WriteFile(config, []byte("encryptionsalt: "+saltFor), 0o600))
	s := &Stack{home: h, name: "x", dir: dir}
	failure := &ToolError{What: "pulumi up", Code: 255}
	require.Equal(t, error(failure), s.Explain(t.Context(), failure), "the passphrase fits: nothing to add")

	require.NoError(t, os.WriteFile(h.Passphrase(), []byte("other"), 0o600))
	require.NoError(t, EnsurePassphrase(h), "a person's own passphrase is left alone")
	explained := s.Explain(t.Context(), failure)
	require.ErrorContains(t, explained, h.Passphrase())
	require.ErrorContains(t, explained, config)
	require.ErrorIs(t, explained, failure)

	plain := errors.New("x")
	require.Equal(t, plain, s.Explain(t.Context(), plain))
	require.NoError(t, s.Explain(t.Context(), nil))
}
