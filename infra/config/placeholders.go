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

// placeholderDomains are the endings of names that nobody can register (RFC 2606, RFC 6761), such
// as those of this repository's stacks.
var placeholderDomains = []string{"example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"}

// placeholderBlocks are the blocks that are reserved for documentation (RFC 5737). No host has such
// an address.
var placeholderBlocks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
}

// validatePlaceholders refuses placeholders in a stack that names a real account. With
// placeholders, ACM would never validate the domain, and nobody could issue a token, reach the
// cluster or administer it. A stack with the sandbox's account may have placeholders: its AWS
// provider refuses the credentials of every other account.
func validatePlaceholders(s *Stack) field.ErrorList {
	if !accountID.MatchString(s.Account) || s.Account == standInAccount {
		return nil
	}
	var problems field.ErrorList
	addProblem := func(keyPath *field.Path, value string) {
		problems = append(problems, field.Invalid(keyPath, value, "is a placeholder, which account "+s.Account+" cannot use; set your own"))
	}
	for _, entry := range []struct{ key, value string }{
		{"auth.issuer", s.Auth.Issuer}, {"auth.jwksUrl", s.Auth.JWKSURL}, {"edge.domain", s.Edge.Domain}, {"edge.zone", s.Edge.Zone}, {"mongo.url", redactURL(s.Mongo.URL)},
	} {
		if isPlaceholder(entry.value) {
			addProblem(path(entry.key), entry.value)
		}
	}
	for _, list := range []struct {
		key    string
		blocks []string
	}{{"cluster.publicAccessCidrs", s.Cluster.PublicAccessCIDRs}, {"cluster.privateAccessCidrs", s.Cluster.PrivateAccessCIDRs}, {"mongo.cidrs", s.Mongo.CIDRs}} {
		for i, block := range list.blocks {
			if parsed, err := netip.ParsePrefix(block); err == nil && slices.ContainsFunc(placeholderBlocks, parsed.Overlaps) {
				addProblem(path(list.key).Index(i), block)
			}
		}
	}
	for _, list := range []struct {
		key  string
		arns []string
	}{{"cluster.admins", s.Cluster.Admins}, {"images.kmsSigners", s.Images.KMSSigners}} {
		for i, arn := range list.arns {
			if isStandInARN(arn) {
				addProblem(path(list.key).Index(i), arn)
			}
		}
	}
	for _, entry := range []struct{ key, arn string }{{"edge.alarmTopicArn", s.Edge.AlarmTopicARN}, {"images.signingKey", s.Images.SigningKey}} {
		if isStandInARN(entry.arn) {
			addProblem(path(entry.key), entry.arn)
		}
	}
	for _, entry := range []struct{ key, image string }{
		{"release.repository", s.Release.Repository}, {"postgres.image", s.Postgres.Image}, {"redis.image", s.Redis.Image},
	} {
		if strings.HasPrefix(entry.image, standInAccount+".dkr.ecr.") {
			addProblem(path(entry.key), entry.image)
		}
	}
	return problems
}

// isStandInARN reports whether an ARN belongs to the sandbox's account.
func isStandInARN(arn string) bool { return strings.Contains(arn, ":"+standInAccount+":") }

// isPlaceholder reports whether a domain name, or the host of a URL, is a placeholder.
func isPlaceholder(value string) bool {
	host := value
	if parsed, err := url.Parse(value); err == nil && parsed.Host != "" {
		host = parsed.Hostname()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(placeholderDomains, func(name string) bool { return host == name || strings.HasSuffix(host, "."+name) })
}
