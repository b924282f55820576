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

// resolverFiles say which DNS servers the machine asks. Where the first names
// only a server on the machine itself, which a pod can't reach, the second
// (systemd-resolved's) names those behind it.
var resolverFiles = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}

// maxResolvers is how many servers a resolver asks at most (resolv.conf(5)).
const maxResolvers = 3

// hostResolvers returns the DNS servers of the first file that names one which
// pods can reach; none where no file does, as on a machine without a network.
func hostResolvers(files []string) ([]string, error) {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the machine's DNS servers: %w", err)
		}
		if found := resolvers(string(content)); len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// resolvers reads the nameserver lines of a resolv.conf, as addresses in the
// form that CoreDNS's forward plugin takes.
func resolvers(content string) []string {
	var found []string
	for line := range strings.Lines(content) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		addr, err := netip.ParseAddr(fields[1])
		// A zone names a link of the host's, which a pod does not have.
		if err != nil || addr.IsLoopback() || addr.IsUnspecified() || addr.Zone() != "" {
			continue
		}
		if s := addr.String(); !slices.Contains(found, s) && len(found) < maxResolvers {
			found = append(found, s)
		}
	}
	return found
}
