package regions

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckBackupCopyAcceptsOnlyListedPairs(t *testing.T) {
	require.NoError(t, CheckBackupCopy("eu-central-1", "eu-west-1"))
	require.ErrorContains(t, CheckBackupCopy("eu-central-1", "eu-central-1"), "not known to copy")
	require.ErrorContains(t, CheckBackupCopy("eu-west-2", "us-west-2"), "it copies them to eu-central-1, eu-north-1")
	require.ErrorContains(t, CheckBackupCopy("mx-central-1", "us-east-1"), "to no other region")
	for from, targets := range backupCopies {
		require.NoError(t, Check(from))
		for _, to := range targets {
			require.NoError(t, Check(to))
			require.NotEqual(t, from, to)
			require.Contains(t, backupCopies, to, "each target region is a source region in the same table")
		}
	}
}
