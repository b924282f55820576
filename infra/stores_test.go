package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// environmentOf returns the environment variables of the first container of a Job.
func environmentOf(t *testing.T, all []registered, job string) map[string]string {
	t.Helper()
	for _, r := range all {
		if r.Type != "kubernetes:batch/v1:Job" || !strings.Contains(r.URN, job) {
			continue
		}
		spec := r.Properties["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		values := map[string]string{}
		for _, v := range spec["containers"].([]any)[0].(map[string]any)["env"].([]any) {
			if value, ok := v.(map[string]any)["value"].(string); ok {
				values[v.(map[string]any)["name"].(string)] = value
			}
		}
		return values
	}
	require.Fail(t, "no Job "+job)
	return nil
}

// The migration reaches a MongoDB by its URL, verified, with the password of a secret, and
// only at the addresses of its servers.
func TestMigrationReachesAMongoDBByItsURL(t *testing.T) {
	const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongo-AbCdEf"
	all := deployStackWith(t, "prod", map[string]string{
		"progressive-framework:auth":   withKeySet["progressive-framework:auth"],
		"progressive-framework:images": withKeySet["progressive-framework:images"],
		"progressive-framework:mongo": `{"kind":"url","url":"mongodb://platform@mongo.example.net:27018/?replicaSet=rs0","passwordSecretArn":"` + secret +
			`","cidrs":["10.60.0.0/24"]}`,
	})
	env := environmentOf(t, all, "migrate")
	require.Equal(t, "mongodb://platform@mongo.example.net:27018/?replicaSet=rs0&tls=true", env["MONGODB_URI"])
	require.Equal(t, "/etc/platform/mongo/password", env["MONGODB_PASSWORD_FILE"])
	require.NotContains(t, env, "MONGODB_PROFILER", "a MongoDB has a profiler, so nothing turns it off")
	require.Contains(t, connections(policyOf(t, all, "migrate"), "egress", "to"), "10.60.0.0/24 27018")
	for _, r := range all {
		require.NotContains(t, r.Type, "docdb")
		if r.Type == "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass" && strings.HasSuffix(r.URN, "-mongo-class") {
			require.Contains(t, r.Properties["spec"].(map[string]any)["parameters"].(map[string]any)["objects"], secret)
		}
	}
}

// Each repository expires images after what runs them has changed, and the copies of backups
// are in the other region.
func TestRepositoriesExpireImagesLast(t *testing.T) {
	all := deployStackWith(t, "prod", map[string]string{
		"progressive-framework:auth":     withKeySet["progressive-framework:auth"],
		"progressive-framework:images":   withKeySet["progressive-framework:images"],
		"progressive-framework:postgres": `{"instanceClass":"db.r7g.xlarge","backupRegion":"us-west-2"}`,
	})
	o := newOrder(all)
	repositories := o.named("aws:ecr/repository:Repository", "")
	policies := o.named("aws:ecr/lifecyclePolicy:LifecyclePolicy", "")
	require.NotEmpty(t, repositories)
	require.Len(t, policies, len(repositories))
	deployments := o.named("kubernetes:apps/v1:Deployment", "-web-")
	require.NotEmpty(t, deployments)
	for _, policy := range policies {
		before := o.before(policy)
		require.True(t, slices.ContainsFunc(deployments, func(d string) bool { return before[d] }), policy)
	}
	require.Len(t, o.named("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "-postgres-copy"), 1)
	require.Len(t, o.named("aws:kms/alias:Alias", "-postgres-copy-alias"), 1)
}
