package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// findJobEnvironment returns the environment variables of the first container of a Job.
func findJobEnvironment(t *testing.T, resources []registeredResource, job string) map[string]string {
	t.Helper()
	for _, r := range resources {
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

// The migration connects to a MongoDB by its URL, with TLS and with the password of a secret. Its
// network policy allows only the addresses of the MongoDB's servers.
func TestMigrationReachesAMongoDBByItsURL(t *testing.T) {
	const secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mongo-AbCdEf"
	resources := deployStackWith(t, "prod", map[string]string{
		"progressive-framework:auth":   configWithoutFiles["progressive-framework:auth"],
		"progressive-framework:images": configWithoutFiles["progressive-framework:images"],
		"progressive-framework:mongo": `{"kind":"url","url":"mongodb://platform@mongo.example.net:27018/?replicaSet=rs0","passwordSecretArn":"` + secret +
			`","cidrs":["10.60.0.0/24"]}`,
	})
	env := findJobEnvironment(t, resources, "migrate")
	require.Equal(t, "mongodb://platform@mongo.example.net:27018/?replicaSet=rs0&tls=true", env["MONGODB_URI"])
	require.Equal(t, "/etc/platform/mongo/password", env["MONGODB_PASSWORD_FILE"])
	require.NotContains(t, env, "MONGODB_PROFILER", "a MongoDB has a profiler, so nothing turns it off")
	require.Contains(t, connections(findNetworkPolicySpec(t, resources, "migrate"), "egress", "to"), "10.60.0.0/24 27018")
	for _, r := range resources {
		require.NotContains(t, r.Type, "docdb")
		if r.Type == "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass" && strings.HasSuffix(r.URN, "-mongo-class") {
			require.Contains(t, r.Properties["spec"].(map[string]any)["parameters"].(map[string]any)["objects"], secret)
		}
	}
}

// deployWithBackupCopy runs the program for prod with copies of the backups of PostgreSQL and
// DocumentDB in another region.
func deployWithBackupCopy(t *testing.T) []registeredResource {
	t.Helper()
	return deployStackWith(t, "prod", map[string]string{
		"progressive-framework:auth":     configWithoutFiles["progressive-framework:auth"],
		"progressive-framework:images":   configWithoutFiles["progressive-framework:images"],
		"progressive-framework:postgres": `{"instanceClass":"db.r7g.xlarge","backupRegion":"us-west-2"}`,
		"progressive-framework:mongo":    `{"kind":"managed","instanceClass":"db.r6g.large","backupRegion":"us-west-2"}`,
	})
}

// The lifecycle policy of a repository is created after the pods that run its images were updated.
func TestRepositoriesExpireImagesLast(t *testing.T) {
	graph := newResourceGraph(deployWithBackupCopy(t))
	repositories := graph.find("aws:ecr/repository:Repository", "")
	policies := graph.find("aws:ecr/lifecyclePolicy:LifecyclePolicy", "")
	require.NotEmpty(t, repositories)
	require.Len(t, policies, len(repositories))
	deployments := graph.find("kubernetes:apps/v1:Deployment", "-web-")
	require.NotEmpty(t, deployments)
	for _, policy := range policies {
		dependencies := graph.dependencies(policy)
		require.True(t, slices.ContainsFunc(deployments, func(d string) bool { return dependencies[d] }), policy)
	}
}

func TestBackupsOfPostgresAreCopiedWithTheirOwnKey(t *testing.T) {
	graph := newResourceGraph(deployWithBackupCopy(t))
	require.Len(t, graph.find("aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "-postgres-copy"), 1)
	require.Len(t, graph.find("aws:kms/alias:Alias", "-postgres-copy-alias"), 1)
}

// The copies of PostgreSQL and DocumentDB share no key and no provider, although they are in one
// region.
func TestSnapshotsOfDocumentDBAreCopiedWithTheirOwnKey(t *testing.T) {
	graph := newResourceGraph(deployWithBackupCopy(t))
	require.Len(t, graph.find("aws:backup/selection:Selection", "-mongo-selection"), 1)
	require.Len(t, graph.find("aws:kms/alias:Alias", "-mongo-copy-alias"), 1)
	require.Len(t, graph.find("pulumi:providers:aws", "aws-backups"), 1)
	require.Len(t, graph.find("pulumi:providers:aws", "aws-mongo-backups"), 1)
}
