package cache

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkCacheManager measures the design document's CacheManager in one
// process of Node, on the same Redis Cluster. BenchmarkLocalHit should have 5
// times the hits/s of the CacheManager, and BenchmarkRedisHit 2.5 times. The
// benchmark needs Debian's nodejs and npm.
func BenchmarkCacheManager(b *testing.B) {
	dir := b.TempDir()
	require.NoError(b, os.CopyFS(dir, os.DirFS("testdata/cachemanager")))
	run := func(b *testing.B, name string, args ...string) string {
		cmd := exec.CommandContext(b.Context(), name, args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		cmd.Env = append(os.Environ(), "NODE_ENV=production", "REDIS_ADDRESSES="+strings.Join(cluster.Addresses(), ","))
		out, err := cmd.Output()
		require.NoError(b, err, "%s: %s", name, out)
		return strings.TrimSpace(string(out))
	}
	run(b, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	for tier, workers := range map[string]string{"local": "1", "redis": "64"} {
		b.Run(tier, func(b *testing.B) {
			// 2000 ms is longer than the default of -benchtime, so that the benchmark runs once.
			rate, err := strconv.ParseFloat(run(b, "node", "bench.js", tier, "2000", workers), 64)
			require.NoError(b, err)
			b.ReportMetric(rate, "hits/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
