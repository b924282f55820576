package localaddons

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// resolverFiles are the files with the machine's DNS servers. The first file may list only a
// server on the loopback device, which pods can't reach: for example systemd-resolved. The second
// file lists the servers to which systemd-resolved forwards queries.
var resolverFiles = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// maxResolvers is the maximum number of servers that a resolver uses (resolv.conf(5)).
const maxResolvers = 3

// readHostResolvers reads the files in their order and returns the DNS servers of the
// first file with a server that pods can reach. It returns nil if no file has such a server, as
// on a machine without a network.
func readHostResolvers(files []string) ([]string, error) {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the machine's DNS servers: %w", err)
		}
		if servers := parseResolvers(string(content)); len(servers) > 0 {
			return servers, nil
		}
	}
	return nil, nil
}

// parseResolvers reads the nameserver lines of a resolv.conf. It returns the addresses that pods can
// reach, for CoreDNS's forward plugin.
func parseResolvers(content string) []string {
	var servers []string
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		addr, err := netip.ParseAddr(fields[1])
		// An address with a zone, such as fe80::1%eth0, needs a network device of the host.
		if err != nil || addr.IsLoopback() || addr.IsUnspecified() || addr.Zone() != "" {
			continue
		}
		if server := addr.String(); !slices.Contains(servers, server) && len(servers) < maxResolvers {
			servers = append(servers, server)
		}
	}
	return servers
}
