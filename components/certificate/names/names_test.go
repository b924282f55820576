package names

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckReturnsAllErrorsInNames(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example.com"
	for _, tc := range []struct {
		reason string
		names  []string
		want   []string
	}{
		{"a name and its wildcard", []string{"example.com", "*.example.com"}, nil},
		{"only the first name has the length limit of a common name", []string{"example.com", long}, nil},
		{"a first name that is too long", []string{long}, []string{"at most 64"}},
		{"no name", nil, []string{"0 names: a certificate must have 1 to 10"}},
		{"all errors at once", []string{"Example.com", "a.*.example.com", "localhost", "x.example.com", "x.example.com"},
			[]string{`"Example.com"`, `"a.*.example.com"`, `"localhost"`, `"x.example.com" is listed twice`}},
		{"a URL", []string{"https://example.com/"}, []string{"must be a domain name"}},
		{"a label that begins with a hyphen", []string{"-a.example.com"}, []string{"must be a domain name"}},
		{"more names than ACM's quota of 10", strings.Split(strings.Repeat("x.example.com ", 11), " ")[:11], []string{"11 names: a certificate must have 1 to 10"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := Check(tc.names)
			if tc.want == nil {
				require.NoError(t, err)
			}
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestValidationDomainsOmitsNamesThatShareARecord(t *testing.T) {
	for _, tc := range []struct {
		reason      string
		names, want []string
	}{
		{"one record for each name", []string{"example.com", "www.example.com"}, []string{"example.com", "www.example.com"}},
		{"a wildcard shares the record of its name", []string{"example.com", "*.example.com", "www.example.com"}, []string{"example.com", "www.example.com"}},
		{"a wildcard before its name", []string{"*.example.com", "example.com"}, []string{"*.example.com"}},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, ValidationDomains(tc.names)) })
	}
}
