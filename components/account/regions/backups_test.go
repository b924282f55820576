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
	for source, targets := range backupCopies {
		require.NoError(t, Check(source))
		for _, target := range targets {
			require.NoError(t, Check(target))
			require.NotEqual(t, source, target)
			require.Contains(t, backupCopies, target, "each target region is a source region in the same table")
		}
	}
}

func TestCheckVaultCopyAcceptsOtherRegionsOfThePartition(t *testing.T) {
	require.NoError(t, CheckVaultCopy("us-east-1", "us-west-2"))
	require.NoError(t, CheckVaultCopy("cn-north-1", "cn-northwest-1"))
	require.ErrorContains(t, CheckVaultCopy("us-east-1", "us-east-1"), "the stack's own region")
	require.ErrorContains(t, CheckVaultCopy("us-east-1", "cn-north-1"), "is of partition aws-cn; region us-east-1 is in aws")
	require.ErrorContains(t, CheckVaultCopy("us-east-1", "Oregon"), "must be the name of an AWS region")
}
