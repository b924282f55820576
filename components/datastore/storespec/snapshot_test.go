package storespec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckSnapshotNameRefusesARNsAndInvalidNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"platform-final": true, "awsbackup:job-4a1f0c7e-0d2b-4c55-9f0e-1b2c3d4e5f60": true, "rds:platform-2026-11-28-03-10": true, "automatic.platform-2026-11-28-03-10": false,
		"arn:aws:rds:us-east-1:210987654321:snapshot:shared": false, "last one": false, "-a": false, "a--b": false, strings.Repeat("a", 256): false,
	} {
		require.Equal(t, valid, CheckSnapshotName(name, AutomaticDatabasePrefix) == nil, name)
	}
	require.NoError(t, CheckSnapshotName("automatic.platform-2026-11-28-03-10", AutomaticCachePrefix))
	require.Error(t, CheckSnapshotName("rds:platform-2026-11-28-03-10", AutomaticCachePrefix), "ElastiCache has no snapshots of databases")
}

func TestCheckRefusesASnapshotThatTheStoreCannotUse(t *testing.T) {
	store := Store{Engine: "postgres", Version: "17", StorageGiB: 100}
	for _, tc := range []struct {
		reason   string
		snapshot Snapshot
		want     string // empty: accepted
	}{
		{"a minor version", Snapshot{"last", "postgres", "17.6", 100, true}, ""},
		{"less storage", Snapshot{"last", "postgres", "17", 20, true}, ""},
		{"another engine", Snapshot{"last", "mysql", "8.0", 100, true}, "snapshot last: is of engine mysql, must be of postgres"},
		{"an older version", Snapshot{"last", "postgres", "16.9", 100, true},
			"snapshot last: is of version 16.9, must be of 17: restore it into a store of its own version, upgrade that, and take another snapshot"},
		{"a version that begins with the same digits", Snapshot{"last", "postgres", "170.1", 100, true}, "snapshot last: is of version 170.1, must be of 17: restore it into a store of its own version, upgrade that, and take another snapshot"},
		{"more storage, and no encryption", Snapshot{"last", "postgres", "17.6", 200, false},
			"snapshot last: has 200 GiB of storage, which can't shrink to 100: set storageGiB to 200 or more\n" +
				"is not encrypted, and the store would not be: copy it with a KMS key"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := tc.snapshot.Check(store)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tc.want)
		})
	}
}
