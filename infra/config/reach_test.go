package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A configuration must say from where the stack is deployed. The error explains every way to do so.
func TestLoadRequiresAKeyThatAdmitsDeployers(t *testing.T) {
	for _, tc := range []struct {
		reason, cluster string
		want            []string
	}{
		{"from nowhere", `{}`, []string{
			"cluster.publicAccessCidrs: Required value: from where the stack is deployed", "the first Kubernetes object",
			"cluster.privateAccessCidrs", "cluster.privateAccessSecurityGroups", "a runner in the VPC",
		}},
		{"from nowhere, said with empty lists", `{"publicAccessCidrs":[],"privateAccessCidrs":[],"privateAccessSecurityGroups":[]}`, []string{"Required value: from where"}},
		{"over the internet", `{"publicAccessCidrs":["198.18.7.1/32"]}`, nil},
		{"from a connected network", `{"privateAccessCidrs":["10.99.0.0/16"]}`, nil},
		{"from a network with public addresses over a private line", `{"privateAccessCidrs":["198.18.0.0/16"]}`, nil},
		{"from a runner in the VPC", `{"privateAccessSecurityGroups":["sg-0123456789abcdef0"]}`, nil},
		{"from the whole internet", `{"publicAccessCidrs":["0.0.0.0/0"]}`, []string{"publicAccessCidrs[0]: Invalid value: \"0.0.0.0/0\": opens the API endpoint to the whole internet"}},
		{"from everywhere privately", `{"privateAccessCidrs":["0.0.0.0/0"]}`, []string{"privateAccessCidrs[0]: Invalid value"}},
		{"from this machine", `{"privateAccessCidrs":["127.0.0.0/8"]}`, []string{"privateAccessCidrs[0]", "is reserved"}},
		{"from an IPv6 network", `{"privateAccessCidrs":["fd00::/48"]}`, []string{"privateAccessCidrs[0]", "must be IPv4"}},
		{"from a block twice", `{"privateAccessCidrs":["10.99.0.0/16","10.99.1.0/24"]}`, []string{"overlaps an earlier block"}},
		{"from a group that is a name", `{"privateAccessSecurityGroups":["runners"]}`, []string{"privateAccessSecurityGroups[0]: Invalid value: \"runners\": must be the ID of a security group"}},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			values := validValues()
			values[clusterKey] = strings.Replace(strings.Replace(tc.cluster, "{", `{"admins":["arn:aws:iam::123456789012:role/a"],`, 1), ",}", "}", 1)
			_, err := Load("prod", values)
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
