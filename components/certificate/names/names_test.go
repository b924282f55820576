package names

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example.com"
	for _, tc := range []struct {
		reason string
		names  []string
		want   []string
	}{
		{"a name and its wildcard", []string{"example.com", "*.example.com"}, nil},
		{"only the first is bound by the common name", []string{"example.com", long}, nil},
		{"the common name is short", []string{long}, []string{"at most 64"}},
		{"none at all", nil, []string{"not 0"}},
		{"every error at once", []string{"Example.com", "a.*.example.com", "localhost", "x.example.com", "x.example.com"},
			[]string{`"Example.com"`, `"a.*.example.com"`, `"localhost"`, `"x.example.com" is listed twice`}},
		{"no URL", []string{"https://example.com/"}, []string{"is not a name"}},
		{"a label's hyphen is inside", []string{"-a.example.com"}, []string{"is not a name"}},
		{"ACM's quota", strings.Split(strings.Repeat("x.example.com ", 11), " ")[:11], []string{"not 11"}},
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

func TestValidated(t *testing.T) {
	for _, tc := range []struct {
		reason      string
		names, want []string
	}{
		{"one each", []string{"example.com", "www.example.com"}, []string{"example.com", "www.example.com"}},
		{"a wildcard shares its name's record", []string{"example.com", "*.example.com", "www.example.com"}, []string{"example.com", "www.example.com"}},
		{"in either order", []string{"*.example.com", "example.com"}, []string{"*.example.com"}},
	} {
		t.Run(tc.reason, func(t *testing.T) { require.Equal(t, tc.want, Validated(tc.names)) })
	}
}
