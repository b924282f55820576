package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// standInAccount is the example account of AWS's documentation. The sandbox's AWS
// stand-in uses it.
const standInAccount = "123456789012"

// placeholderTLD ends the names of this repository's stacks until the
// user sets real ones. Nobody can register such a name (RFC 2606).
const placeholderTLD = ".example"

// placeholderBlocks are the addresses of documentation (RFC 5737). Nobody comes
// from them.
var placeholderBlocks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
}

// validatePlaceholders refuses placeholders in a stack that names a real
// account: ACM would wait for a proof that cannot come, and nobody could issue
// a token, reach the cluster or administer it. A stack with the sandbox's account
// changes no other one: its AWS provider refuses the credentials.
func validatePlaceholders(s *Stack) field.ErrorList {
	if !accountID.MatchString(s.Account) || s.Account == standInAccount {
		return nil
	}
	var problems field.ErrorList
	refuse := func(at *field.Path, value string) {
		problems = append(problems, field.Invalid(at, value, "is a placeholder, which account "+s.Account+" cannot use; set your own"))
	}
	for _, v := range []struct{ key, value string }{
		{"auth.issuer", s.Auth.Issuer}, {"auth.jwksUrl", s.Auth.JWKSURL}, {"edge.domain", s.Edge.Domain}, {"edge.zone", s.Edge.Zone},
	} {
		if isPlaceholder(v.value) {
			refuse(path(v.key), v.value)
		}
	}
	cluster := path("cluster")
	for i, block := range s.Cluster.PublicAccessCIDRs {
		if parsed, err := netip.ParsePrefix(block); err == nil && slices.ContainsFunc(placeholderBlocks, parsed.Overlaps) {
			refuse(cluster.Child("publicAccessCidrs").Index(i), block)
		}
	}
	for i, arn := range s.Cluster.Admins {
		if strings.Contains(arn, ":iam::"+standInAccount+":") {
			refuse(cluster.Child("admins").Index(i), arn)
		}
	}
	return problems
}

// isPlaceholder reports whether a domain name, or the host of a URL, is one.
func isPlaceholder(value string) bool {
	host := value
	if parsed, err := url.Parse(value); err == nil && parsed.Host != "" {
		host = parsed.Hostname()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return strings.HasSuffix(host, placeholderTLD)
}
