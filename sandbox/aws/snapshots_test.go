package aws

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// snapshotFixture is a dataFixture with the final snapshots last-db, last-doc and last-cache of
// deleted data stores. key encrypts the snapshots.
type snapshotFixture struct {
	*dataFixture
	key, otherKey *resource
}

// newSnapshotFixture creates the resources of a snapshotFixture in a new sandbox.
func newSnapshotFixture(t *testing.T) *snapshotFixture {
	t.Helper()
	f := &snapshotFixture{dataFixture: newDataFixture(t)}
	f.key, f.otherKey = f.s.mustCreate(keyT, "of-snapshots", nil), f.s.mustCreate(keyT, "of-stack", nil)
	keyARN := f.key.state["arn"]
	for _, dataStore := range []struct {
		token string
		in    props
	}{
		{dbT, with(f.db, props{"finalSnapshotIdentifier": "last-db", "skipFinalSnapshot": false, "storageEncrypted": true, "kmsKeyId": keyARN, "dbName": "app"})},
		{docClusterT, with(f.doc, props{"finalSnapshotIdentifier": "last-doc", "skipFinalSnapshot": false, "storageEncrypted": true, "kmsKeyId": keyARN})},
		{cacheT, with(f.sharded, props{"finalSnapshotIdentifier": "last-cache", "atRestEncryptionEnabled": true, "kmsKeyId": keyARN})},
	} {
		require.NoError(t, f.s.delete(f.s.mustCreate(dataStore.token, "earlier", dataStore.in)))
	}
	return f
}

// RDS restores a database with the key of the snapshot. If the program sets a different key,
// the program's next update replaces the database.
func TestRestoredDatabaseHasTheKeyOfItsSnapshot(t *testing.T) {
	f := newSnapshotFixture(t)
	s := f.s
	in := with(f.db, props{"snapshotIdentifier": "last-db", "storageEncrypted": true, "dbName": "app"})
	db := s.mustCreate(dbT, "restored", in)
	require.Equal(t, f.key.state["arn"], db.state["kmsKeyId"])
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(db, in).GetChanges())
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(db, with(in, props{"snapshotIdentifier": nil}), "snapshotIdentifier", "kmsKeyId").GetChanges())

	withOtherKey := with(in, props{"kmsKeyId": f.otherKey.state["arn"]})
	restoredWithOtherKey := s.mustCreate(dbT, "second", withOtherKey)
	require.Equal(t, f.key.state["arn"], restoredWithOtherKey.state["kmsKeyId"])
	require.Equal(t, []string{"kmsKeyId"}, s.diff(restoredWithOtherKey, withOtherKey).GetReplaces())
	require.Equal(t, []string{"snapshotIdentifier"}, s.diff(db, with(in, props{"snapshotIdentifier": "another"})).GetReplaces())
}

// DocumentDB and ElastiCache accept a different key at a restore.
func TestRestoredClusterHasTheKeyOfTheProgram(t *testing.T) {
	f := newSnapshotFixture(t)
	s := f.s
	keyARN := f.otherKey.state["arn"]
	for _, row := range []struct {
		token string
		in    props
	}{
		{docClusterT, with(f.doc, props{"snapshotIdentifier": "last-doc", "storageEncrypted": true, "kmsKeyId": keyARN})},
		{cacheT, with(f.sharded, props{"snapshotName": "last-cache", "atRestEncryptionEnabled": true, "kmsKeyId": keyARN, "numNodeGroups": 4})},
	} {
		restored := s.mustCreate(row.token, "restored", row.in)
		require.Equal(t, keyARN, restored.state["kmsKeyId"])
		require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(restored, row.in).GetChanges())
	}
}

// The deletion of a stack keeps the final snapshot, the automated backups and their key. A
// new database with the same name is restored from that snapshot. The final snapshot of
// the new database has a different name, because the name contains the id of the database's key.
func TestDatabaseIsRestoredFromItsFinalSnapshot(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	createDatabase := func(key *resource, change props) (*resource, props) {
		snapshotName := "main-final-" + strings.Split(key.state["keyId"].(string), "-")[0]
		in := with(with(f.db, props{
			"identifier": "main", "storageEncrypted": true, "kmsKeyId": key.state["arn"], "dbName": "app", "backupRetentionPeriod": 35,
			"deleteAutomatedBackups": false, "skipFinalSnapshot": false, "finalSnapshotIdentifier": snapshotName,
		}), change)
		return s.mustCreate(dbT, "main", in), in
	}
	firstKey := s.mustCreate(keyT, "first", nil)
	db, in := createDatabase(firstKey, nil)
	require.NoError(t, s.delete(db)) // the key is retained
	countByType := map[string]int{}
	require.NoError(t, s.p.store.View(t.Context(), func(tx *store.Tx) error {
		for _, o := range tx.All() {
			countByType[o.Type]++
		}
		return nil
	}))
	require.Equal(t, 1, countByType["aws:rds/final-snapshot"])
	require.Equal(t, 1, countByType["aws:rds/automated-backup"])

	secondKey := s.mustCreate(keyT, "second", nil)
	restored, _ := createDatabase(secondKey, props{"snapshotIdentifier": in["finalSnapshotIdentifier"], "kmsKeyId": nil})
	require.Equal(t, firstKey.state["arn"], restored.state["kmsKeyId"])
	require.Equal(t, "app", restored.state["dbName"])
	require.NoError(t, s.delete(restored), "its final snapshot has another name than the first one")
	require.NoError(t, s.delete(s.mustCreate(dbT, "gone", with(f.db, props{"backupRetentionPeriod": 7}))), "by default, automated backups are deleted with the database")
}

func TestRestoreRefusals(t *testing.T) {
	f := newSnapshotFixture(t)
	s := f.s
	db := func(change props) props {
		return with(with(f.db, props{"snapshotIdentifier": "last-db", "storageEncrypted": true}), change)
	}
	s.requireRefusals([]refusal{
		{"a snapshot that does not exist", dbT, db(props{"snapshotIdentifier": "none"}), "DBSnapshotNotFound"},
		{"another major version", dbT, db(props{"engineVersion": "18.1"}), "Cannot upgrade postgres from 17.6 to 18.1"},
		{"less storage than the snapshot has", dbT, db(props{"allocatedStorage": 50}), "the snapshot has 100 GiB"},
		{"a snapshot of documents that does not exist", docClusterT, with(f.doc, props{"snapshotIdentifier": "last-db"}), "DBClusterSnapshotNotFoundFault"},
		{"another version of documents", docClusterT, with(f.doc, props{"snapshotIdentifier": "last-doc", "engineVersion": "4.0.0"}), "Cannot restore a snapshot of docdb 5.0.0 as 4.0.0"},
		{"a snapshot of a cache that does not exist", cacheT, with(f.sharded, props{"snapshotName": "none"}), "SnapshotNotFoundFault"},
		{"an older version of a cache", cacheT, with(f.sharded, props{"snapshotName": "last-cache", "engineVersion": "7.0"}), "can't be restored into the older 7.0"},
		{"an invalid name of a snapshot", dbT, db(props{"snapshotIdentifier": "last db"}), "the name of a snapshot of this account"},
	})
	require.NoError(t, s.delete(f.key))
	s.requireRefusals([]refusal{
		{"the key of the snapshot was deleted", dbT, db(nil), "KMSKeyNotAccessibleFault"},
		{"the key of the documents was deleted", docClusterT, with(f.doc, props{"snapshotIdentifier": "last-doc"}), "KMSKeyNotAccessibleFault"},
	})
}

func TestFunctionsFindSnapshotsAndDatabases(t *testing.T) {
	f := newSnapshotFixture(t)
	s := f.s
	found, err := s.invoke("aws:rds/getSnapshot:getSnapshot", props{"dbSnapshotIdentifier": "last-db"})
	require.NoError(t, err)
	require.Equal(t, []any{"postgres", "17.6", 100.0, true}, []any{found["engine"], found["engineVersion"], found["allocatedStorage"], found["encrypted"]})
	found, err = s.invoke("aws:rds/getClusterSnapshot:getClusterSnapshot", props{"dbClusterSnapshotIdentifier": "last-doc"})
	require.NoError(t, err)
	require.Equal(t, []any{"docdb", "5.0.0", true}, []any{found["engine"], found["engineVersion"], found["storageEncrypted"]})
	_, err = s.invoke("aws:rds/getSnapshot:getSnapshot", props{"dbSnapshotIdentifier": "last-doc"})
	require.ErrorContains(t, err, "no snapshot last-doc")

	s.mustCreate(dbT, "main", with(f.db, props{"identifier": "main"}))
	s.mustCreate(docClusterT, "docs", with(f.doc, props{"clusterIdentifier": "docs"}))
	byFilter := func(filter, name string) props {
		return props{"filters": []any{props{"name": filter, "values": []any{name}}}}
	}
	for _, row := range []struct {
		token, filter, name, result string
		want                        []any
	}{
		{"aws:rds/getInstances:getInstances", "db-instance-id", "main", "instanceIdentifiers", []any{"main"}},
		{"aws:rds/getInstances:getInstances", "db-instance-id", "none", "instanceIdentifiers", []any{}},
		{"aws:rds/getClusters:getClusters", "db-cluster-id", "docs", "clusterIdentifiers", []any{"docs"}},
	} {
		out, err := s.invoke(row.token, byFilter(row.filter, row.name))
		require.NoError(t, err)
		require.Equal(t, row.want, out[row.result])
	}
	_, err = s.invoke("aws:rds/getInstances:getInstances", byFilter("engine", "postgres"))
	require.ErrorContains(t, err, "by the filter db-instance-id")
}
