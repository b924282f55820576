package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cloudmocks"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
)

// cloudWithSnapshot returns the mock of an account. The account has the snapshot "last" of each
// store, with the engine version. existing are the identifiers of the stores that already exist.
func cloudWithSnapshot(version string, existing ...any) *cloudmocks.Cloud {
	return &cloudmocks.Cloud{Calls: map[string]func(map[string]any) map[string]any{
		"aws:rds/getInstances:getInstances": func(map[string]any) map[string]any { return map[string]any{"instanceIdentifiers": existing} },
		"aws:rds/getClusters:getClusters":   func(map[string]any) map[string]any { return map[string]any{"clusterIdentifiers": existing} },
		"aws:rds/getSnapshot:getSnapshot": func(map[string]any) map[string]any {
			return map[string]any{"engine": "postgres", "engineVersion": version, "allocatedStorage": 100, "encrypted": true, "kmsKeyId": "arn:of-snapshot"}
		},
		"aws:rds/getClusterSnapshot:getClusterSnapshot": func(map[string]any) map[string]any {
			return map[string]any{"engine": "docdb", "engineVersion": version, "storageEncrypted": true}
		},
	}}
}

// newRestoredDatabase creates PostgreSQL from the snapshot "last".
func newRestoredDatabase(ctx *pulumi.Context, stackAccount *account.Account) error {
	args := databaseArgs(stackAccount)
	args.SnapshotIdentifier = "last"
	_, err := postgres.NewDatabase(ctx, "app-postgres", args)
	return err
}

// newRestoredDocumentDB creates DocumentDB from the snapshot "last".
func newRestoredDocumentDB(ctx *pulumi.Context, stackAccount *account.Account) error {
	args := mongoArgs(stackAccount)
	args.SnapshotIdentifier = "last"
	_, err := mongo.NewCluster(ctx, "app-mongo", args)
	return err
}

// A database from a snapshot has the snapshot's key. A later change of the snapshot or the key
// does not replace the database.
func TestStoresAreCreatedFromSnapshots(t *testing.T) {
	d, err := runOn(cloudWithSnapshot("17.6"), newRestoredDatabase)
	require.NoError(t, err)
	database := d.find(t, rdsInstance)
	database.requireInputs(t, map[string]any{"snapshotIdentifier": "last", "kmsKeyId": nil, "storageEncrypted": true})
	require.Equal(t, []string{"snapshotIdentifier", "kmsKeyId"}, database.IgnoreChanges)

	d, err = runOn(cloudWithSnapshot("5.0.0"), newRestoredDocumentDB)
	require.NoError(t, err)
	documentDB := d.find(t, docdbCluster)
	documentDB.requireInputs(t, map[string]any{"snapshotIdentifier": "last"})
	require.NotNil(t, documentDB.input("kmsKeyId"), "DocumentDB has the key of the stack, not of the snapshot")
	require.Equal(t, []string{"snapshotIdentifier"}, documentDB.IgnoreChanges)

	redisGroup := deploy(t, newRedis(func(stackAccount *account.Account) *redis.ClusterArgs {
		args := redisArgs(stackAccount)
		args.SnapshotName = "last"
		return args
	})).find(t, replicationGroup)
	redisGroup.requireInputs(t, map[string]any{"snapshotName": "last"})
	require.Equal(t, []string{"snapshotName"}, redisGroup.IgnoreChanges)

	// Without a snapshot the database has its own key.
	withoutSnapshot := deploy(t, newDatabase(databaseArgs)).find(t, rdsInstance)
	withoutSnapshot.requireInputs(t, map[string]any{"snapshotIdentifier": nil, "kmsKeyId": mockARN + "app-postgres-key"})
}

// A snapshot of another version is refused before the store is registered.
func TestSnapshotsOfAnotherVersionAreRefused(t *testing.T) {
	d, err := runOn(cloudWithSnapshot("16.9"), newRestoredDatabase)
	require.ErrorContains(t, err, "snapshot last: is of version 16.9, must be of 17")
	require.Empty(t, d.ofType(rdsInstance))
	d, err = runOn(cloudWithSnapshot("4.0.0"), newRestoredDocumentDB)
	require.ErrorContains(t, err, "snapshot last: is of version 4.0.0, must be of 5.0.0")
	require.Empty(t, d.ofType(docdbCluster))
}

// The snapshot of an existing store is not looked up, because somebody may have deleted it.
func TestSnapshotOfAnExistingStoreMayBeMissing(t *testing.T) {
	cloud := cloudWithSnapshot("16.9", "app-postgres")
	cloud.Calls["aws:rds/getInstance:getInstance"] = func(map[string]any) map[string]any {
		return map[string]any{"dbInstanceClass": "db.m7g.large", "preferredMaintenanceWindow": "sun:04:30-sun:05:00"}
	}
	_, err := runOn(cloud, newRestoredDatabase)
	require.NoError(t, err)
	_, err = runOn(cloudWithSnapshot("4.0.0", "app-mongo"), newRestoredDocumentDB)
	require.NoError(t, err)
}
