package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/models"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
)

// The models are large, so this test does not read them. It compares the digest of the
// table's other sources: the property paths and the mapping to the models.
func TestTableIsUpToDate(t *testing.T) {
	require.Equal(t, models.Digest(propertyPaths(), Mapping()), models.Load().SourcesDigest, "run `go generate ./aws/models` in sandbox/")
}

func TestEveryTypeIsDescribed(t *testing.T) {
	for _, token := range rules.Tokens() {
		_, described := descriptions[token]
		_, excused := undescribed[token]
		require.NotEqual(t, described, excused, "%s: one shape or one reason in operations.go", token)
	}
}

func TestPatternIsTranslatedToGo(t *testing.T) {
	for _, row := range []struct{ reason, in, want string }{
		{"a code point", `[\u0020-\u007E]*`, `[\x{0020}-\x{007E}]*`},
		{"a pair of surrogates is one code point", `[\uD800\uDC00-\uDBFF\uDFFF]`, `[\x{10000}-\x{10FFFF}]`},
		{"Go has no look-ahead", `(?!aws)[a-z]+`, ``},
	} {
		require.Equal(t, row.want, translatePattern(row.in), row.reason)
	}
}
