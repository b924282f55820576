package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaceholdersAreRefusedOnRealAWS(t *testing.T) {
	const (
		account = "progressive-framework:account"
		auth    = "progressive-framework:auth"
		edge    = "progressive-framework:edge"

		realAuth = `{"issuer":"https://login.progressive.dev","audience":"a","jwksUrl":"https://login.progressive.dev/jwks"}`
	)
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    []string
	}{
		{"real names", map[string]string{account: "210987654321", auth: realAuth, edge: `{"domain":"shop.progressive.dev","zone":"progressive.dev"}`}, nil},
		{"the sandbox's account", map[string]string{account: "123456789012", edge: `{"domain":"shop.example","zone":"shop.example"}`}, nil},
		{"a word in the middle is not an ending", map[string]string{account: "210987654321", auth: realAuth, edge: `{"domain":"my.example.dev","zone":"example.dev"}`}, nil},
		{"names that end with more letters", map[string]string{account: "210987654321", auth: realAuth, edge: `{"domain":"shop.myexample.com","zone":"myexample.com"}`}, nil},
		{"the domains of documentation", map[string]string{
			account: "210987654321", edge: `{"domain":"app.example.com","zone":"example.com"}`,
			auth: `{"issuer":"https://login.example.org","audience":"a","jwksUrl":"https://example.net/jwks"}`,
		}, []string{"edge.domain: Invalid value", "edge.zone: Invalid value", "auth.issuer: Invalid value", "auth.jwksUrl: Invalid value"}},
		{"the domains of tests", map[string]string{
			account: "210987654321", edge: `{"domain":"app.test","zone":"app.test"}`, auth: `{"issuer":"https://login.INVALID./","audience":"a","jwksUrl":"https://a.com/jwks"}`,
		}, []string{"edge.domain: Invalid value", "edge.zone: Invalid value", "auth.issuer: Invalid value"}},
		{"a private block of documentation", map[string]string{
			account: "210987654321", auth: realAuth, clusterKey: `{"admins":["arn:aws:iam::210987654321:role/a"],"publicAccessCidrs":[],"privateAccessCidrs":["198.51.100.0/24"]}`,
		}, []string{"cluster.privateAccessCidrs[0]: Invalid value"}},
		{"resources of the sandbox's account", map[string]string{
			account: "210987654321", auth: realAuth,
			"progressive-framework:images": `{"kmsSigners":["arn:aws:iam::123456789012:role/a"],"signingKey":"awskms:///arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}`,
			edge:                           `{"domain":"app.progressive.dev","zone":"progressive.dev","alarmTopicArn":"arn:aws:sns:us-east-1:123456789012:alarms"}`,
			"progressive-framework:redis":  `{"kind":"inCluster","image":"123456789012.dkr.ecr.us-east-1.amazonaws.com/redis@sha256:` + strings.Repeat("a", 64) + `"}`,
		}, []string{"redis.image: Invalid value", "images.kmsSigners[0]: Invalid value", "images.signingKey: Invalid value", "edge.alarmTopicArn: Invalid value"}},
		{"every placeholder at once", map[string]string{
			account: "210987654321", edge: `{"domain":"shop.example","zone":"shop.example"}`,
			auth: `{"issuer":"https://login.shop.example/","audience":"a","jwksUrl":"https://login.shop.example:443/jwks"}`,
		}, []string{"edge.domain: Invalid value", "edge.zone: Invalid value", "auth.issuer: Invalid value", "auth.jwksUrl: Invalid value", "account 210987654321 cannot use; set your own"}},
		{"deployers and administrators", map[string]string{
			account: "210987654321", clusterKey: `{"admins":["arn:aws:iam::210987654321:role/a","arn:aws:iam::123456789012:role/b"],"publicAccessCidrs":["198.18.0.0/24","203.0.113.7/32"]}`,
		}, []string{"cluster.admins[1]: Invalid value", "cluster.publicAccessCidrs[1]: Invalid value"}},
		{"placeholders of deployers and administrators with the sandbox's account", map[string]string{
			clusterKey: `{"admins":["arn:aws:iam::123456789012:role/b"],"publicAccessCidrs":["203.0.113.0/24"]}`,
		}, nil},
		{"a MongoDB of documentation", map[string]string{
			account: "210987654321", auth: realAuth,
			"progressive-framework:mongo": `{"kind":"url","url":"mongodb+srv://platform@cluster.example.net/","passwordSecretArn":"arn:aws:secretsmanager:us-east-1:210987654321:secret:m-AbCdEf","cidrs":["203.0.113.0/24"]}`,
		}, []string{"mongo.url: Invalid value", "mongo.cidrs[0]: Invalid value"}},
		{"an issuer that is no URL", map[string]string{account: "210987654321", auth: `{"issuer":"login.example","audience":"a","jwksUrl":"https://a.com/jwks"}`}, []string{"auth.issuer"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("prod", validValuesWith(tc.changes))
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
