package toolchain

import "fmt"

// version is a version without its suffix, such as -dev or +k3s1. Versions are compared
// without suffixes.
type version struct{ major, minor, patch int }

// parseVersion reads v1.2.3, with or without the v and with any suffix. For a text in another form, ok
// is false.
func parseVersion(s string) (v version, ok bool) {
	if len(s) > 0 && s[0] == 'v' {
		s = s[1:]
	}
	n, err := fmt.Sscanf(s, "%d.%d.%d", &v.major, &v.minor, &v.patch)
	return v, err == nil && n == 3
}

// less reports whether v is older than other.
func (v version) less(other version) bool {
	if v.major != other.major {
		return v.major < other.major
	}
	if v.minor != other.minor {
		return v.minor < other.minor
	}
	return v.patch < other.patch
}
