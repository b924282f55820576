package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// snapshotProps are the properties of a database or cache that its snapshot also has:
// API_DBSnapshot and API_DBClusterSnapshot of RDS, and API_Snapshot of ElastiCache.
var snapshotProps = []string{
	"engine", "engineVersion", "engineVersionActual", "kmsKeyId",
	"allocatedStorage", "storageType", "storageEncrypted", "username", "dbName", "port", // RDS
	"masterUsername",                           // DocumentDB
	"atRestEncryptionEnabled", "numNodeGroups", // ElastiCache
}

// snapshotState returns the state of a new snapshot. source is the state of the database or
// cache.
func snapshotState(source Object) Object {
	out := Object{}
	for _, name := range snapshotProps {
		if v, ok := source[name]; ok {
			out[name] = wire.Clone(v)
		}
	}
	return out
}

// snapshotToRestore returns the snapshot from which a new database or cache is restored. ok is
// false if the call restores nothing. kind is the type of the snapshot. property is the input
// with the name of the snapshot. code is AWS's error code for a snapshot that does not exist.
func (c *Call) snapshotToRestore(kind, property, code string) (snapshot Object, ok bool, err error) {
	name := c.In.String(property)
	if c.Old != nil || name == "" {
		return nil, false, nil
	}
	o, found := c.retainedObject(kind, name)
	if !found {
		return nil, false, refuse(code, "snapshot %s not found", name)
	}
	return o.State, true, nil
}

// verifyRestoredKey returns an error if the KMS key of a snapshot no longer exists.
func (c *Call) verifyRestoredKey(snapshot Object, ref *Ref) error {
	key := snapshot.String("kmsKeyId")
	if key == "" || strings.Contains(key, ":alias/aws/") || key == c.awsKeyARN("rds") {
		return nil
	}
	if _, ok := c.resolve(ref, key); !ok {
		return refuse("KMSKeyNotAccessibleFault", "The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it", key)
	}
	return nil
}

// verifyRestoredInstance returns RDS's error for the restore of an instance
// (AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html). The provider
// first restores the version and the storage of the snapshot, and then changes both
// (rds/instance.go). So the restore can also fail with the errors of a change.
func verifyRestoredInstance(c *Call) error {
	snapshot, ok, err := c.snapshotToRestore(instanceSnapshotType, "snapshotIdentifier", "DBSnapshotNotFound")
	if !ok {
		return err
	}
	if engine := snapshot.String("engine"); engine != c.In.String("engine") {
		return refuse("InvalidParameterCombination", "The snapshot is of engine %s, not %s", engine, c.In.String("engine"))
	}
	snapshotMajor, _, _ := strings.Cut(snapshot.String("engineVersionActual"), ".")
	major, full, _ := postgresVersion(c.In.String("engineVersion"))
	if snapshotMajor != major && !c.In.Bool("allowMajorVersionUpgrade") {
		return refuse("InvalidParameterCombination", "Cannot upgrade postgres from %s to %s: the parameter group must be of the snapshot's version, and a "+
			"major upgrade needs AllowMajorVersionUpgrade", snapshot.String("engineVersionActual"), full)
	}
	if snapshotSize, size := snapshot.Int("allocatedStorage"), c.In.Int("allocatedStorage"); size < snapshotSize {
		return refuse("InvalidParameterValue", "Invalid storage size: the snapshot has %d GiB, and storage can't be decreased to %d", snapshotSize, size)
	}
	return c.verifyRestoredKey(snapshot, toDatabaseKey)
}

// fillRestoredInstance sets the properties that a restored instance always takes from the
// snapshot: the encryption, the key, the master user and the database. AWS's call has no
// parameters for these properties.
func fillRestoredInstance(c *Call) error {
	snapshot, ok, err := c.snapshotToRestore(instanceSnapshotType, "snapshotIdentifier", "DBSnapshotNotFound")
	if !ok {
		return err
	}
	for _, name := range []string{"storageEncrypted", "kmsKeyId", "username", "dbName"} {
		c.Out[name] = wire.Clone(snapshot[name])
	}
	c.Out["snapshotIdentifier"] = c.In.String("snapshotIdentifier")
	return nil
}

// verifyRestoredDocdb returns DocumentDB's error for the restore of a cluster
// (documentdb/latest/developerguide/API_RestoreDBClusterFromSnapshot.html). The provider
// sends the engine version and the KMS key of the inputs (docdb/cluster.go).
func verifyRestoredDocdb(c *Call) error {
	snapshot, ok, err := c.snapshotToRestore(clusterSnapshotType, "snapshotIdentifier", "DBClusterSnapshotNotFoundFault")
	if !ok {
		return err
	}
	if snapshotVersion, version := snapshot.String("engineVersion"), c.docdbVersion(); snapshotVersion != version {
		return refuse("InvalidParameterCombination", "Cannot restore a snapshot of docdb %s as %s", snapshotVersion, version)
	}
	return c.verifyRestoredKey(snapshot, toDatabaseKey)
}

// fillRestoredDocdb sets the properties that a restored cluster takes from the snapshot. If
// the program sets a key, the cluster has that key instead of the key of the snapshot.
func fillRestoredDocdb(c *Call) error {
	snapshot, ok, err := c.snapshotToRestore(clusterSnapshotType, "snapshotIdentifier", "DBClusterSnapshotNotFoundFault")
	if !ok {
		return err
	}
	c.Out["masterUsername"] = snapshot.String("masterUsername")
	if !c.In.Has("kmsKeyId") {
		c.Out["storageEncrypted"], c.Out["kmsKeyId"] = wire.Clone(snapshot["storageEncrypted"]), wire.Clone(snapshot["kmsKeyId"])
	}
	return nil
}

// verifyRestoredCache returns ElastiCache's error for a restore. The engine must be the
// same, and the version must not be older. The number of shards may differ
// (AmazonElastiCache/latest/dg/backups-restoring.html).
func verifyRestoredCache(c *Call) error {
	snapshot, ok, err := c.snapshotToRestore(cacheSnapshotType, "snapshotName", "SnapshotNotFoundFault")
	if !ok {
		return err
	}
	engine, version := c.cacheEngineAndVersion()
	if snapshotEngine := snapshot.String("engine"); snapshotEngine != engine {
		return refuse("InvalidParameterCombination", "The snapshot is of engine %s, not %s", snapshotEngine, engine)
	}
	if snapshotVersion := snapshot.String("engineVersion"); version < snapshotVersion {
		return refuse("InvalidParameterCombination", "The snapshot is of version %s, and can't be restored into the older %s", snapshotVersion, version)
	}
	return c.verifyRestoredKey(snapshot, toCacheKey)
}

// getSnapshot implements the Pulumi function aws:rds/getSnapshot. Its source is
// rds/snapshot_data_source.go of terraform-provider-aws.
func getSnapshot(c *Call, in Object) (Object, error) {
	snapshot, err := c.snapshotByName(in, "dbSnapshotIdentifier", instanceSnapshotType, dbInstanceType)
	if err != nil {
		return nil, err
	}
	state := Object(snapshot.State)
	return Object{
		"id": snapshot.ID, "engine": state.String("engine"), "engineVersion": state.String("engineVersionActual"),
		"allocatedStorage": float64(state.Int("allocatedStorage")), "encrypted": state.Bool("storageEncrypted"), "kmsKeyId": state.String("kmsKeyId"),
		"dbInstanceIdentifier": state.String("source"), "snapshotCreateTime": state.String("createTime"), "status": "available", "tags": map[string]any{},
		"dbSnapshotArn": fmt.Sprintf("arn:%s:rds:%s:%s:snapshot:%s", c.Partition, c.Region, c.Account, snapshot.ID),
		"storageType":   state.String("storageType"), "port": float64(state.Int("port")), "licenseModel": "postgresql-license",
		"availabilityZone": "", "iops": 0.0, "optionGroupName": "", "originalSnapshotCreateTime": state.String("createTime"),
		"sourceDbSnapshotIdentifier": "", "sourceRegion": "", "vpcId": "", "snapshotType": "manual",
	}, nil
}

// getClusterSnapshot implements the Pulumi function aws:rds/getClusterSnapshot. Its source
// is rds/cluster_snapshot_data_source.go of terraform-provider-aws. The function also finds
// snapshots of DocumentDB, because they share a namespace with Aurora's snapshots.
func getClusterSnapshot(c *Call, in Object) (Object, error) {
	snapshot, err := c.snapshotByName(in, "dbClusterSnapshotIdentifier", clusterSnapshotType, docdbClusterType)
	if err != nil {
		return nil, err
	}
	state := Object(snapshot.State)
	return Object{
		"id": snapshot.ID, "engine": state.String("engine"), "engineVersion": state.String("engineVersion"),
		"storageEncrypted": state.Bool("storageEncrypted"), "kmsKeyId": state.String("kmsKeyId"), "dbClusterIdentifier": state.String("source"),
		"snapshotCreateTime": state.String("createTime"), "status": "available", "tags": map[string]any{}, "snapshotType": "manual",
		"dbClusterSnapshotArn": fmt.Sprintf("arn:%s:rds:%s:%s:cluster-snapshot:%s", c.Partition, c.Region, c.Account, snapshot.ID),
		"allocatedStorage":     0.0, "availabilityZones": []any{}, "licenseModel": "", "port": 0.0, "sourceDbClusterSnapshotArn": "", "vpcId": "",
	}, nil
}

// snapshotByName returns the snapshot with the name in a property of the inputs. kind is
// the type of the snapshot. token is the type of its database.
func (c *Call) snapshotByName(in Object, property, kind, token string) (store.Object, error) {
	if err := checkLookupKey(in, property); err != nil {
		return store.Object{}, err
	}
	snapshot, ok := c.Tx.Get(store.Key{Scope: c.scope(rows[token]), Type: kind, ID: in.String(property)})
	if !ok {
		return store.Object{}, errors.New("your query returned no results: no snapshot " + in.String(property))
	}
	return snapshot, nil
}

// getInstances implements the Pulumi function aws:rds/getInstances. Its source is
// rds/instances_data_source.go of terraform-provider-aws.
func getInstances(c *Call, in Object) (Object, error) {
	names, err := c.namesByFilter(in, "db-instance-id", dbInstanceType, "identifier")
	return Object{"id": c.Region, "instanceIdentifiers": names, "instanceArns": []any{}, "tags": map[string]any{}}, err
}

// getInstance implements the Pulumi function aws:rds/getInstance. It finds an instance by the
// identifier. Its source is rds/instance_data_source.go of terraform-provider-aws. The result
// has the current instance class, also if another class waits for the maintenance window.
func getInstance(c *Call, in Object) (Object, error) {
	name := in.String("dbInstanceIdentifier")
	if name == "" || in.Has("tags") {
		return nil, refuse("InvalidParameterValue", "the stand-in finds an instance by dbInstanceIdentifier")
	}
	var found Object
	c.Row = rows[dbInstanceType]
	c.Tx.Each(c.scope(c.Row), dbInstanceType, func(o store.Object) bool {
		if o.State["identifier"] != name {
			return true
		}
		c.ID = o.ID
		found = c.applyPendingChange(o).State
		return false
	})
	if found == nil {
		return nil, refuse("DBInstanceNotFound", "DBInstance %s not found.", name)
	}
	return Object{
		"id": name, "dbInstanceIdentifier": name, "dbInstanceArn": found["arn"], "dbInstanceClass": found["instanceClass"],
		"preferredMaintenanceWindow": found["maintenanceWindow"], "multiAz": found["multiAz"], "allocatedStorage": found["allocatedStorage"],
		"engine": found["engine"], "engineVersion": found["engineVersionActual"], "address": found["address"], "resourceId": found["resourceId"],
	}, nil
}

// getDatabaseClusters implements the Pulumi function aws:rds/getClusters. Its source is
// rds/clusters_data_source.go of terraform-provider-aws.
func getDatabaseClusters(c *Call, in Object) (Object, error) {
	names, err := c.namesByFilter(in, "db-cluster-id", docdbClusterType, "clusterIdentifier")
	return Object{"id": c.Region, "clusterIdentifiers": names, "clusterArns": []any{}}, err
}

// namesByFilter returns the names of the objects of a type that match the filter in the inputs.
// filter is the name of the only filter that the inputs may have. property is the output that
// contains the name of an object.
func (c *Call) namesByFilter(in Object, filter, token, property string) ([]any, error) {
	filters := in.Objects("filters")
	if in.Has("tags") || len(filters) != 1 || filters[0].String("name") != filter {
		return nil, fmt.Errorf("the stand-in finds databases by the filter %s only", filter)
	}
	names := []any{}
	c.Tx.Each(c.scope(rows[token]), token, func(o store.Object) bool {
		if name := Object(o.State).String(property); slices.Contains(filters[0].Strings("values"), name) {
			names = append(names, name)
		}
		return true
	})
	return names, nil
}
