package envconfig_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

func TestTextMethodsCheckTheFormat(t *testing.T) {
	readURL := func(r *envconfig.Reader) any { return r.URL("X", "http://a", "http", "https") }
	readPath := func(r *envconfig.Reader) any { return r.Path("X", "/a") }
	readHosts := func(r *envconfig.Reader) any { return r.Hosts("X", "a:1") }
	readWord := func(r *envconfig.Reader) any { return r.Word("X", "a") }
	readCounts := func(r *envconfig.Reader) any { return r.Counts("X", "a", "b") }
	noCounts := map[string]int(nil)
	for _, row := range []struct {
		reason string
		read   func(*envconfig.Reader) any
		text   string
		want   any
		rule   string // empty: the text is valid
	}{
		{"a URL", readURL, "https://b:2/c?d=e", "https://b:2/c?d=e", ""},
		{"another scheme", readURL, "ftp://b", "http://a", "must be a URL http:// or https:// with a host"},
		{"no host", readURL, "http:///b", "http://a", "with a host"},
		{"not a URL", readURL, "http://%zz", "http://a", "with a host"},
		{"an absolute path", readPath, "/run/secrets/a", "/run/secrets/a", ""},
		{"a relative path", readPath, "a", "/a", "must be an absolute path"},
		{"one host", readHosts, "b:2", []string{"b:2"}, ""},
		{"more hosts", readHosts, "b:2,[::1]:3", []string{"b:2", "[::1]:3"}, ""},
		{"a space after the comma", readHosts, "b:2, c:", []string{"a:1"}, "must be one or more HOST:PORT"},
		{"no port", readHosts, "b", []string{"a:1"}, "must be one or more HOST:PORT"},
		{"a word", readWord, "progressive-framework", "progressive-framework", ""},
		{"two words", readWord, "a b", "a", "without spaces"},
		{"a number for each key", readCounts, "b=2,a=1", map[string]int{"a": 1, "b": 2}, ""},
		{"a key without a number", readCounts, "a=1", noCounts, "a positive number for each of a, b"},
		{"a key twice", readCounts, "a=1,b=2,a=1", noCounts, "positive number"},
		{"an unknown key", readCounts, "a=1,c=2", noCounts, "positive number"},
		{"zero", readCounts, "a=1,b=0", noCounts, "positive number"},
		{"no number", readCounts, "a,b", noCounts, "as KEY=NUMBER"},
		{"no word", readWord, "", "a", "1 to 200"},
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
