package size

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"
)

// Kubernetes reads what String writes as the same number of bytes.
func TestKubernetesReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]func(int64) Size{Of, KiB, MiB, GiB}).Draw(t, "unit")
		s := unit(rapid.Int64Range(0, 1<<30).Draw(t, "n"))
		q := resource.MustParse(s.String())
		require.Equal(t, s.Bytes(), q.Value(), "%s", s)
	})
}

func TestString(t *testing.T) {
	for _, row := range []struct {
		reason string
		size   Size
		text   string
	}{
		{"the largest whole unit", GiB(4), "4Gi"},
		{"no fractions", MiB(1536), "1536Mi"},
		{"no unit above GiB, so that 24 TiB is not 24", GiB(24 << 10), "24576Gi"},
		{"nothing", Of(0), "0"},
		{"odd bytes", Of(1025), "1025"},
	} {
		t.Run(row.reason, func(t *testing.T) { require.Equal(t, row.text, row.size.String()) })
	}
}
