package preflight

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/layout"
)

func TestOnlyALocalClusterNeedsRoot(t *testing.T) {
	require.NoError(t, checkUser(layout.ClusterLocal, 0))
	require.ErrorContains(t, checkUser(layout.ClusterLocal, 1000), "CLUSTER=existing")
	require.NoError(t, checkUser(layout.ClusterSimulated, 1000))
}

func TestNeedsOfOneDiskAreAddedUp(t *testing.T) {
	const gib = 1 << 30
	disks := map[string][2]uint64{"/mod": {1, 10 * gib}, "/cache": {1, 10 * gib}, "/tmp": {2, 1 * gib}}
	disk := func(dir string) (id, free uint64, err error) {
		d, ok := disks[dir]
		if !ok {
			return 0, 0, errors.New("no such disk")
		}
		return d[0], d[1], nil
	}
	cases := []struct {
		reason string
		needs  []Need
		want   string // empty: enough
	}{
		{"enough", []Need{{"/mod", "modules", 5 * gib}, {"/cache", "packages", 5 * gib}}, ""},
		{"two folders on one disk add up", []Need{{"/mod", "modules", 5 * gib}, {"/cache", "packages", 6 * gib}},
			"10.0 GiB free, 11.0 GiB needed: 5.0 GiB for modules in /mod, 6.0 GiB for packages in /cache"},
		{"another disk is another sum", []Need{{"/mod", "modules", 5 * gib}, {"/tmp", "the linker", 2 * gib}}, "1.0 GiB free, 2.0 GiB needed"},
		{"a disk that cannot be read", []Need{{"/x", "x", 1}}, "no such disk"},
	}
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			err := checkSpace(tc.needs, disk)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestDiskUsesTheNearestExistingFolder(t *testing.T) {
	dir := t.TempDir()
	id, _, err := Disk(dir)
	require.NoError(t, err)
	idOfNewFolder, free, err := Disk(filepath.Join(dir, "a", "b"))
	require.NoError(t, err)
	require.Equal(t, id, idOfNewFolder)
	require.NotZero(t, free)
}
