package config

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/image/ociplatform"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
)

// validValues returns a complete and valid configuration, in the form in which Pulumi passes it to
// the program.
func validValues() map[string]string {
	return map[string]string{
		"aws:region":                        "us-east-1",
		"progressive-framework:environment": "staging",
		"progressive-framework:account":     standInAccount,
		"progressive-framework:network":     `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b","us-east-1c"],"natGateways":"single"}`,
		"progressive-framework:services":    `{"mca":{"min":4,"max":8}}`,
		"progressive-framework:auth":        `{"issuer":"https://login.example.com","audience":"platform","jwksUrl":"https://login.example.com/jwks"}`,
		"progressive-framework:postgres":    `{"instanceClass":"db.r7g.xlarge"}`,
		"progressive-framework:redis":       `{"nodeType":"cache.r7g.large"}`,
		"progressive-framework:mongo":       `{"kind":"managed","instanceClass":"db.r6g.large"}`,
		clusterKey:                          requiredClusterKeys,
	}
}

const (
	clusterKey = "progressive-framework:cluster"
	// requiredClusterKeys are the keys that every cluster needs.
	requiredClusterKeys = `{"publicAccessCidrs":["198.18.0.0/24"],"admins":["arn:aws:iam::210987654321:role/operators"]}`
)

// withRequiredKeys returns an object of the key cluster. It adds the keys that every cluster needs,
// unless object has them.
func withRequiredKeys(object string) string {
	// The second Unmarshal adds to the members of the first one, and replaces them.
	members := map[string]any{}
	if json.Unmarshal([]byte(requiredClusterKeys), &members) != nil || json.Unmarshal([]byte(object), &members) != nil {
		return object // a test of an object that can't be read
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return object
	}
	return string(encoded)
}

// validValuesWith returns the configuration of validValues with changes. An empty value removes the
// key.
func validValuesWith(changes map[string]string) map[string]string {
	values := validValues()
	maps.Copy(values, changes)
	values[clusterKey] = withRequiredKeys(values[clusterKey])
	for k, v := range values {
		if v == "" {
			delete(values, k)
		}
	}
	return values
}

// findProfile returns the profile of a service by its short name.
func findProfile(s *Stack, service string) scaling.Profile {
	for _, p := range s.Profiles() {
		if p.ShortName == service {
			return p
		}
	}
	return scaling.Profile{}
}

func TestLoadFillsDefaults(t *testing.T) {
	s, err := Load("staging", validValues())
	require.NoError(t, err)
	require.Equal(t, eksspec.Version("1.36"), s.Cluster.Version)
	require.Equal(t, []ociplatform.Platform{"linux/amd64"}, s.Images.Platforms)
	require.Equal(t, "10.20.0.0/16", s.Network.Block.String())
	mca := findProfile(s, "mca")
	require.Equal(t, []int{4, 8, 4}, []int{mca.HPA.MinReplicas, mca.HPA.MaxReplicas, mca.Floor}, "the stack's bounds replace the profile's")

	s, err = Load("staging", validValuesWith(map[string]string{"progressive-framework:services": "", "progressive-framework:network": `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b"]}`}))
	require.NoError(t, err)
	mca = findProfile(s, "mca")
	require.Equal(t, []int{2, 20, 3}, []int{mca.HPA.MinReplicas, mca.HPA.MaxReplicas, mca.Floor}, "the bounds and the count of the design document")
	require.Equal(t, subnet.NATPerZone, s.Network.NATGateways, "the safe layout is the default")
}

func TestLoadRefusesInvalidConfigurations(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    []string
	}{
		{"a missing region", map[string]string{"aws:region": ""}, []string{"aws:region: Required value"}},
		{"a missing environment", map[string]string{"progressive-framework:environment": ""}, []string{"progressive-framework:environment: Required value"}},
		{"an unknown key, by its name", map[string]string{"progressive-framework:netwrok": "{}"}, []string{"progressive-framework:netwrok: Forbidden: no such key"}},
		{"an unknown member, by its path", map[string]string{"progressive-framework:frontDoor": `{"nodeport":30080}`}, []string{"progressive-framework:frontDoor.nodeport: Forbidden: no such key"}},
		{"an object that is no JSON", map[string]string{"progressive-framework:network": "10.0.0.0/16"}, []string{"progressive-framework:network: Invalid value", "must be an object"}},
		{"a wrong type, by its path", map[string]string{"progressive-framework:frontDoor": `{"nodePort":"30080"}`}, []string{"progressive-framework:frontDoor.nodePort: Invalid value", "must be a whole number"}},
		{"a fraction of a pod", map[string]string{"progressive-framework:services": `{"mca":{"min":1.5}}`}, []string{"services.mca.min"}},
		{"a fixed number of pods, which an earlier version had", map[string]string{"progressive-framework:services": `{"mca":{"replicas":2}}`}, []string{"services.mca.replicas: Forbidden: is gone, because an autoscaler sets the number of pods: set min and max"}},
		{"a min above max", map[string]string{"progressive-framework:services": `{"mca":{"min":5,"max":4}}`}, []string{`services.mca: Invalid value: "5 to 4"`}},
		{"a min above the profile's max", map[string]string{"progressive-framework:services": `{"mca":{"min":21}}`}, []string{`services.mca: Invalid value: "21 to 20"`, "an unset value is the profile's"}},
		{"a max below the profile's min", map[string]string{"progressive-framework:services": `{"web":{"max":2}}`}, []string{`services.web: Invalid value: "3 to 2"`}},
		{"a port outside Kubernetes' range", map[string]string{"progressive-framework:frontDoor": `{"nodePort":80}`}, []string{"frontDoor.nodePort: Invalid value: 80: must be 30000 to 32767"}},
		{"a service that does not exist", map[string]string{"progressive-framework:services": `{"mcaa":{"min":1}}`}, []string{`"mcaa"`, "supported values: \"web\", \"mca\", \"npa\", \"wpa\""}},
		{"more pods than a service may have", map[string]string{"progressive-framework:services": `{"mca":{"max":51}}`}, []string{"services.mca.max: Invalid value: 51"}},
		{"the API endpoint open to all", map[string]string{"progressive-framework:cluster": `{"publicAccessCidrs":["0.0.0.0/0"]}`}, []string{"cluster.publicAccessCidrs[0]", "whole internet"}},
		{"a control plane in a zone without a subnet", map[string]string{"progressive-framework:cluster": `{"zones":["us-east-1a","us-east-1f"]}`}, []string{"cluster.zones", "us-east-1f has no subnet"}},
		{"a session as administrator", map[string]string{"progressive-framework:cluster": `{"admins":["arn:aws:sts::123456789012:assumed-role/a/b"]}`}, []string{"cluster.admins[0]", "ARN of an IAM role or user"}},
		{"no key of auth", map[string]string{"progressive-framework:auth": ""}, []string{"auth.issuer: Required value", "auth.audience: Required value", "jwksUrl or jwksFile"}},
		{"a key set over http", map[string]string{"progressive-framework:auth": `{"issuer":"a","audience":"b","jwksUrl":"http://a/jwks"}`}, []string{"auth.jwksUrl: Invalid value", "https"}},
		{"an account that lost its leading zero", map[string]string{"progressive-framework:account": "12345678901"}, []string{"account: Invalid value", "twelve digits"}},
		{"an unsupported value, with the list of the supported ones", map[string]string{"progressive-framework:network": `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b"],"natGateways":"none"}`},
			[]string{`network.natGateways: Unsupported value: "none": supported values: "perZone", "single"`}},
		{"every error at once", map[string]string{
			"aws:region":                    "mars-1",
			"progressive-framework:network": `{"cidr":"10.20.0.0/24","natGateways":"none"}`,
			"progressive-framework:images":  `{"platforms":["windows/amd64"]}`,
			"progressive-framework:zones":   "us-east-1a",
			"progressive-framework:cluster": `{"version":"1.12"}`,
		}, []string{"7 error(s)", `progressive-framework:zones: Forbidden: no such key; did you mean "network.zones"?`, "network.zones: Required value", "aws:region", "network.cidr", "network.natGateways", "images.platforms[0]", "cluster.version"}},
		{"rules about several keys, together with another key's error", map[string]string{
			"progressive-framework:environment": "Staging",
			"progressive-framework:tiers":       `{"web":{"instanceTypes":["m7g.xlarge"]}}`,
			"progressive-framework:services":    `{"web":{"min":50},"mca":{"min":50,"max":50},"npa":{"min":50,"max":50},"wpa":{"min":50,"max":50}}`,
		}, []string{"environment: Invalid value", "images.platforms: Invalid value", "must have linux/arm64", "postgres.connections: Invalid value"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("staging", validValuesWith(tc.changes))
			require.Error(t, err)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.ErrorContains(t, err, "Pulumi.staging.yaml", "the message names the file to fix")
		})
	}
}
