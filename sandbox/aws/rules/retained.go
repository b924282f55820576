package rules

import (
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The types of objects that AWS retains after a deletion. No program creates them, so
// they are not supported. `sandbox aws list` shows them, and `sandbox aws delete` removes them.
const (
	instanceSnapshotType = "aws:rds/final-snapshot"
	clusterSnapshotType  = "aws:docdb/final-snapshot"
	cacheSnapshotType    = "aws:elasticache/final-snapshot"
	deletedSecretType    = "aws:secretsmanager/deleted-secret"
	automatedBackupType  = "aws:rds/automated-backup"
)

// retainedTypes are the types of objects that no program can create: objects that AWS keeps
// after a deletion, and changes that wait for a maintenance window.
var retainedTypes = []string{instanceSnapshotType, clusterSnapshotType, cacheSnapshotType, deletedSecretType, automatedBackupType, pendingChangeType}

// retainedObject returns an object that AWS retained when another object was deleted. typ is one
// of retainedTypes. exists is false if there is no such object.
func (c *Call) retainedObject(typ, id string) (object store.Object, exists bool) {
	return c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: typ, ID: id})
}

// retain stores an object of the type typ that remains after the deletion of the call's
// object.
func (c *Call) retain(typ, id string, state Object) {
	c.Tx.Put(store.Object{
		Key: store.Key{Scope: c.scope(c.Row), Type: typ, ID: id}, Created: c.Now().UTC(), State: state,
	})
}

// finalSnapshot has the rules of the final snapshot of a database type.
type finalSnapshot struct {
	kind       string // the type of the snapshot in the store
	existsCode string // AWS's error code if a snapshot has the same name
}

// take creates the final snapshot of the deleted database, unless skipFinalSnapshot is set. It
// returns the provider's error if the program sets no name for the snapshot.
func (f finalSnapshot) take(c *Call) error {
	if c.Old.Bool("skipFinalSnapshot") {
		return nil
	}
	id := c.Old.String("finalSnapshotIdentifier")
	if id == "" {
		return refuse("InvalidParameterCombination", "final_snapshot_identifier is required when skip_final_snapshot is false "+
			"(finalSnapshotIdentifier and skipFinalSnapshot; an update brings them into effect before the deletion)")
	}
	return f.create(c, id)
}

// create stores a snapshot of the call's old state. id is the name of the snapshot.
func (f finalSnapshot) create(c *Call, id string) error {
	if _, exists := c.retainedObject(f.kind, id); exists {
		return refuse(f.existsCode, "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	}
	snapshot := snapshotState(c.Old)
	snapshot["name"], snapshot["source"], snapshot["createTime"] = id, c.ID, c.Now().UTC().Format(time.RFC3339)
	c.retain(f.kind, id, snapshot)
	return nil
}
