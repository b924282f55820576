package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/webacl/webaclspec"
)

func TestInvalidEdgesAreRefused(t *testing.T) {
	const (
		usersCertificate  = `"certificateArn":"arn:aws:acm:us-east-1:123456789012:certificate/0a"`
		originCertificate = `"originCertificateArn":"arn:aws:acm:eu-west-1:123456789012:certificate/0b"`
	)
	for _, tc := range []struct {
		reason, edge, want string
	}{
		{"a domain and a zone with the same name", `{"domain":"example.com","zone":"example.com"}`, ""},
		{"a domain below the zone", `{"domain":"shop.example.com","zone":"example.com"}`, ""},
		{"certificates without a zone", `{"domain":"example.com",` + usersCertificate + `,` + originCertificate + `}`, ""},
		{"the zone of another domain", `{"domain":"example.com","zone":"example.org"}`, "edge.zone: Invalid value"},
		{"a domain that ends with the zone's letters, but without the dot", `{"domain":"notexample.com","zone":"example.com"}`, "edge.zone: Invalid value"},
		{"neither zone nor certificates", `{"domain":"example.com"}`, "edge.certificateArn: Required value"},
		{"both zone and certificate", `{"domain":"example.com","zone":"example.com",` + usersCertificate + `}`, "edge.certificateArn: Forbidden"},
		{"a certificate for CloudFront in another region", `{"domain":"example.com",` + originCertificate + `,"certificateArn":"arn:aws:acm:eu-west-1:123456789012:certificate/0a"}`, "in us-east-1"},
		{"a key of edge without a domain", `{"cacheable":["/api/v1/foods"]}`, "edge.domain: Required value"},
		{"a cached path outside the API", `{"domain":"example.com","zone":"example.com","cacheable":["/ws"]}`, "edge.cacheable"},
		{"a rate without a web ACL", `{"domain":"example.com","zone":"example.com","webAcl":false,"requestsPerAddress":100}`, "needs edge.webAcl"},
		{"managed rules that block", `{"domain":"example.com","zone":"example.com","webAclMode":"block"}`, ""},
		{"a mode that does not exist", `{"domain":"example.com","zone":"example.com","webAclMode":"off"}`, `edge.webAclMode: Unsupported value: "off": supported values: "count", "block"`},
		{"every name below the domain has HTTPS", `{"domain":"example.com","zone":"example.com","hstsSubdomains":true}`, ""},
		{"a topic for alarms", `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws:sns:eu-west-1:123456789012:alarms"}`, ""},
		{"a topic in another region", `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws:sns:us-east-1:123456789012:alarms"}`, "an SNS topic in eu-west-1"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("prod", validValuesWith(map[string]string{
				"aws:region":                    "eu-west-1",
				"progressive-framework:network": `{"cidr":"10.20.0.0/16","zones":["eu-west-1a","eu-west-1b"]}`,
				"progressive-framework:edge":    tc.edge,
			}))
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// By default a stack locks nobody out: browsers keep HSTS for a year, and a false match of a
// managed rule is a refused user.
func TestNewStackOnlyCountsWebACLMatchesAndSetsNoHSTSForSubdomains(t *testing.T) {
	s, err := Load("staging", validValues())
	require.NoError(t, err)
	require.True(t, s.Edge.WebACL)
	require.Equal(t, webaclspec.Count, s.Edge.WebACLMode)
	require.False(t, s.Edge.HSTSSubdomains)
}
