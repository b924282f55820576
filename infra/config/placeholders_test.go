package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlaceholdersAreRefusedOnRealAWS(t *testing.T) {
	const (
		account = "progressive-framework:account"
		auth    = "progressive-framework:auth"
		edge    = "progressive-framework:edge"
	)
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    []string
	}{
		{"real names", map[string]string{account: "210987654321", edge: `{"domain":"example.com","zone":"example.com"}`}, nil},
		{"the sandbox's account", map[string]string{account: "123456789012", edge: `{"domain":"shop.example","zone":"shop.example"}`}, nil},
		{"a word in the middle is no ending", map[string]string{account: "210987654321", edge: `{"domain":"my.example.com","zone":"example.com"}`}, nil},
		{"every placeholder at once", map[string]string{
			account: "210987654321", edge: `{"domain":"shop.example","zone":"shop.example"}`,
			auth: `{"issuer":"https://login.shop.example/","audience":"a","jwksUrl":"https://login.shop.example:443/jwks"}`,
		}, []string{"edge.domain: Invalid value", "edge.zone: Invalid value", "auth.issuer: Invalid value", "auth.jwksUrl: Invalid value", "account 210987654321 cannot use; set your own"}},
		{"deployers and administrators", map[string]string{
			account: "210987654321", clusterKey: `{"admins":["arn:aws:iam::210987654321:role/a","arn:aws:iam::123456789012:role/b"],"publicAccessCidrs":["198.18.0.0/24","203.0.113.7/32"]}`,
		}, []string{"cluster.admins[1]: Invalid value", "cluster.publicAccessCidrs[1]: Invalid value"}},
		{"and those of the sandbox's account", map[string]string{
			clusterKey: `{"admins":["arn:aws:iam::123456789012:role/b"],"publicAccessCidrs":["203.0.113.0/24"]}`,
		}, nil},
		{"an issuer that is no URL", map[string]string{account: "210987654321", auth: `{"issuer":"login.example","audience":"a","jwksUrl":"https://a.com/jwks"}`}, []string{"auth.issuer"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("prod", with(tc.changes))
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
