package size

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

// Kubernetes parses the result of String as the same number of bytes.
func TestKubernetesParsesString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]func(int64) Size{Bytes, KiB, MiB, GiB}).Draw(t, "unit")
		s := unit(rapid.Int64Range(0, 1<<30).Draw(t, "n"))
		q := resource.MustParse(s.String())
		require.Equal(t, s.Bytes(), q.Value(), "%s", s)
	})
}

func TestStringUsesTheLargestWholeUnit(t *testing.T) {
	for _, row := range []struct {
		reason string
		size   Size
		text   string
	}{
		{"a whole number of the largest unit", GiB(4), "4Gi"},
		{"the largest unit that needs no fraction", MiB(1536), "1536Mi"},
		{"no unit above GiB", GiB(24 << 10), "24576Gi"},
		{"zero", Bytes(0), "0"},
		{"a number of bytes that is not a whole KiB", Bytes(1025), "1025"},
	} {
		t.Run(row.reason, func(t *testing.T) { require.Equal(t, row.text, row.size.String()) })
	}
}
