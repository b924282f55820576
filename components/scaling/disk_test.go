package scaling

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The kubelet evicts a pod if its log and caches are larger than its limit.
func TestDiskHoldsLogAndCaches(t *testing.T) {
	for _, p := range Services() {
		d := DiskFor(p.Caches...)
		used := mebibytes(5 * 10)
		for _, c := range p.Caches {
			used.Add(c.SizeLimit)
		}
		require.Positive(t, d.Limit.Cmp(used), "%s uses %s at most", p.Name, used.String())
		require.LessOrEqual(t, d.Request.Cmp(d.Limit), 0, p.Name)
	}
	plain, npa := DiskFor(), DiskFor(NPA().Caches...)
	require.Equal(t, "256Mi", plain.Limit.String())
	require.Equal(t, "1280Mi", npa.Limit.String(), "nutrition-cache has 1 GiB")
}
