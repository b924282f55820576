package config

import (
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// standInAccount is the example account of AWS's documentation. The sandbox's AWS
// stand-in uses it.
const standInAccount = "123456789012"

// placeholderTLD ends the names of this repository's stacks until the
// user sets real ones. Nobody can register such a name (RFC 2606).
const placeholderTLD = ".example"

// validatePlaceholders refuses placeholders in a stack that names a real
// account: ACM would wait for a proof that cannot come, and nobody could issue
// a token.
func validatePlaceholders(s *Stack) field.ErrorList {
	if s.Account == "" || s.Account == standInAccount {
		return nil
	}
	var problems field.ErrorList
	for _, v := range []struct{ key, value string }{
		{"auth.issuer", s.Auth.Issuer}, {"auth.jwksUrl", s.Auth.JWKSURL}, {"edge.domain", s.Edge.Domain}, {"edge.zone", s.Edge.Zone},
	} {
		if isPlaceholder(v.value) {
			problems = append(problems, field.Invalid(path(v.key), v.value, "is a placeholder, which account "+s.Account+" cannot use; set your own"))
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
