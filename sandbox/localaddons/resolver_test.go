package localaddons

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCoreDNSForwardsToServersThatPodsCanReach(t *testing.T) {
	for _, row := range []struct {
		reason string
		files  []string // "-" is a file that does not exist
		want   []string
	}{
		{"a server of the network", []string{"search example.org\nnameserver 192.0.2.53\n"}, []string{"192.0.2.53"}},
		{"a server of each address family", []string{"nameserver 192.0.2.53\nnameserver 2001:db8::53"}, []string{"192.0.2.53", "2001:db8::53"}},
		{"systemd-resolved, as Debian sets it up", []string{"nameserver 127.0.0.53\n", "nameserver 192.0.2.53\n"}, []string{"192.0.2.53"}},
		{"only a server on the machine, which pods can't reach", []string{"nameserver ::1\n", "-"}, nil},
		{"no network", []string{"-", "-"}, nil},
		{"nothing but comments", []string{"# nameserver 192.0.2.53\n;nameserver 192.0.2.53\n"}, nil},
		{"damaged lines", []string{"nameserver\nnameserver here\nnameserver 0.0.0.0\nnameserver 192.0.2.53 # old\n"}, []string{"192.0.2.53"}},
		{"an address with a zone", []string{"nameserver fe80::1%eth0\nnameserver 192.0.2.53\n"}, []string{"192.0.2.53"}},
		{"a duplicate, and more servers than a resolver uses", []string{"nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"},
			[]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			dir := t.TempDir()
			var paths []string
			for i, content := range row.files {
				path := filepath.Join(dir, string(rune('a'+i)))
				if content != "-" {
					require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
				}
				paths = append(paths, path)
			}
			servers, err := readHostResolvers(paths)
			require.NoError(t, err)
			require.Equal(t, row.want, servers)
		})
	}
}
