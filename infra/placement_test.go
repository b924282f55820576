package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/infra/config"
)

// ownNodes is a small stack of three zones.
func ownNodes(t *testing.T, network string) *config.Stack {
	t.Helper()
	stack, err := config.Load("sandbox", map[string]string{
		"aws:region":                         "us-east-1",
		"progressive-framework:environment":  "sandbox",
		"progressive-framework:network":      network,
		"progressive-framework:auth":         `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
		"progressive-framework:cluster":      `{"nodes":"own"}`,
		"progressive-framework:postgres":     `{"kind":"inCluster","image":"ecr://debian/postgres:15","memoryMiB":4096}`,
		"progressive-framework:redis":        `{"kind":"none"}`,
		"progressive-framework:mongo":        `{"kind":"none"}`,
		"progressive-framework:storageClass": "sandbox-local",
	})
	require.NoError(t, err)
	return stack
}

const threeZones = `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b","us-east-1c"]}`

// In an account where us-east-1a is use1-az3, EKS would refuse a subnet of it.
func TestControlPlaneAvoidsTheZoneThatEKSRefuses(t *testing.T) {
	for _, tc := range []struct {
		reason string
		ids    map[string]string
		want   []string
	}{
		{"the first two zones", nil, []string{"private-app-a", "private-app-b"}},
		{"the first zone has no control planes", map[string]string{"us-east-1a": "use1-az3"}, []string{"private-app-b", "private-app-c"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			all, err := deployOn(&cloudmocks.Cloud{ZoneIDs: tc.ids}, ownNodes(t, threeZones))
			require.NoError(t, err)
			for _, r := range all {
				if r.Type != "aws:eks/cluster:Cluster" {
					continue
				}
				var subnets []string
				for _, id := range r.Inputs["vpcConfig"].ObjectValue()["subnetIds"].ArrayValue() {
					subnets = append(subnets, strings.TrimSuffix(strings.TrimPrefix(id.StringValue(), "progressive-framework-sandbox-"), "-id"))
				}
				require.Equal(t, tc.want, subnets)
			}
		})
	}
}

// A zone that can't be used is reported before any resource of AWS is registered.
func TestRefusedZoneRegistersNothingAtAWS(t *testing.T) {
	all, err := deployOn(&cloudmocks.Cloud{ZoneIDs: map[string]string{"us-east-1b": "use1-az3"}},
		ownNodes(t, `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b"]}`))
	require.ErrorContains(t, err, "network.zones: EKS has control planes in 1 of the zones and needs 2: in this account us-east-1b is use1-az3")
	for _, r := range all {
		require.NotRegexp(t, "^aws:", r.Type, r.Name)
	}
}
