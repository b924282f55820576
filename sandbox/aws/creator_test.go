package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// EKS creates an access entry for the identity that creates a cluster. It refuses a
// second entry for that identity.
func TestCreatorOfAClusterHasAnAccessEntry(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/platform-deployer"
	s := newSandbox(t, props{"region": "us-east-1", "assumeRole": `{"roleArn":"` + role + `"}`})
	s.setEnvironment()
	require.NoError(t, EnsureAccount(t.Context(), s.layout))
	identity, err := s.invoke("aws:index/getCallerIdentity:getCallerIdentity", nil)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sts::123456789012:assumed-role/platform-deployer/sandbox", identity["arn"])

	stack := s.createClusterStack()
	_, err = s.create(accessEntryT, "creator", props{"clusterName": stack.byName["cluster"].id, "principalArn": role})
	require.ErrorContains(t, err, "ResourceInUseException")
	require.ErrorContains(t, err, "The specified access entry resource is already in use on this cluster.")
	s.mustCreate(accessEntryT, "operators", props{"clusterName": stack.byName["cluster"].id, "principalArn": "arn:aws:iam::123456789012:role/platform-operators"})
}
