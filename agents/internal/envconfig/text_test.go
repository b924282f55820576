package envconfig_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

func TestTextMethodsCheckTheFormat(t *testing.T) {
	url := func(r *envconfig.Reader) any { return r.URL("X", "http://a", "http", "https") }
	path := func(r *envconfig.Reader) any { return r.Path("X", "/a") }
	hosts := func(r *envconfig.Reader) any { return r.Hosts("X", "a:1") }
	word := func(r *envconfig.Reader) any { return r.Word("X", "a") }
	counts := func(r *envconfig.Reader) any { return r.Counts("X", "a", "b") }
	none := map[string]int(nil)
	for _, row := range []struct {
		reason string
		read   func(*envconfig.Reader) any
		text   string
		want   any
		rule   string // empty: the text is valid
	}{
		{"a URL", url, "https://b:2/c?d=e", "https://b:2/c?d=e", ""},
		{"another scheme", url, "ftp://b", "http://a", "must be a URL http:// or https:// with a host"},
		{"no host", url, "http:///b", "http://a", "with a host"},
		{"not a URL", url, "http://%zz", "http://a", "with a host"},
		{"an absolute path", path, "/run/secrets/a", "/run/secrets/a", ""},
		{"a relative path", path, "a", "/a", "must be an absolute path"},
		{"one host", hosts, "b:2", []string{"b:2"}, ""},
		{"more hosts", hosts, "b:2,[::1]:3", []string{"b:2", "[::1]:3"}, ""},
		{"a space after the comma", hosts, "b:2, c:", []string{"a:1"}, "must be one or more HOST:PORT"},
		{"no port", hosts, "b", []string{"a:1"}, "must be one or more HOST:PORT"},
		{"a word", word, "progressive-framework", "progressive-framework", ""},
		{"two words", word, "a b", "a", "without spaces"},
		{"a number for each key", counts, "b=2,a=1", map[string]int{"a": 1, "b": 2}, ""},
		{"a key without a number", counts, "a=1", none, "a positive number for each of a, b"},
		{"a key twice", counts, "a=1,b=2,a=1", none, "positive number"},
		{"an unknown key", counts, "a=1,c=2", none, "positive number"},
		{"zero", counts, "a=1,b=0", none, "positive number"},
		{"no number", counts, "a,b", none, "as KEY=NUMBER"},
		{"no word", word, "", "a", "1 to 200"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := newReader(map[string]string{"X": row.text})
			require.Equal(t, row.want, row.read(r))
			if row.rule == "" {
				require.NoError(t, r.Err())
				return
			}
			require.ErrorContains(t, r.Err(), row.rule)
		})
	}
}

func TestURLErrorDoesNotShowTheURL(t *testing.T) {
	r := newReader(map[string]string{"X": "postgres//user:secret@host"})
	r.URL("X", "", "postgres")
	require.ErrorContains(t, r.Err(), "X=")
	require.NotContains(t, r.Err().Error(), "secret")
}

func TestRequiredVariableMustBeSet(t *testing.T) {
	r := newReader(map[string]string{"A": ""})
	r.Require("A", "B")
	require.EqualError(t, r.Err(), `B="" must be set: set it`)
}
