package rules

import (
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The types of objects that AWS retains after a deletion. No program creates them, so
// they have no rows. `sandbox aws list` shows them, `sandbox aws delete` removes them.
const (
	instanceSnapshot = "aws:rds/final-snapshot"
	clusterSnapshot  = "aws:docdb/final-snapshot"
	cacheSnapshot    = "aws:elasticache/final-snapshot"
	deletedSecret    = "aws:secretsmanager/deleted-secret"
)

var retained = []string{instanceSnapshot, clusterSnapshot, cacheSnapshot, deletedSecret}

// retainedObject returns an object that an earlier deletion has retained.
func (c *Call) retainedObject(typ, id string) (store.Object, bool) {
	return c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: typ, ID: id})
}

// retain stores an object that stays after this object's deletion.
func (c *Call) retain(typ, id string, state Object) {
	c.Tx.Put(store.Object{
		Key: store.Key{Scope: c.scope(c.Row), Type: typ, ID: id}, Created: c.Now().UTC(), State: state,
	})
}

// finalSnapshot defines the final snapshot of a type of database.
type finalSnapshot struct {
	kind, existsCode string // the type of the snapshot, and AWS's code if it exists
}

// take creates the final snapshot. It returns an error if the inputs neither name a
// snapshot nor skip it; the text is the provider's.
func (f finalSnapshot) take(c *Call) error {
	if c.Old.Bool("skipFinalSnapshot") {
		return nil
	}
	id := c.Old.String("finalSnapshotIdentifier")
	if id == "" {
		return refuse("InvalidParameterCombination", "final_snapshot_identifier is required when skip_final_snapshot is false "+
			"(finalSnapshotIdentifier and skipFinalSnapshot; an update brings them into effect before the deletion)")
	}
	return f.keep(c, id)
}

// keep creates a snapshot.
func (f finalSnapshot) keep(c *Call, id string) error {
	if _, there := c.retainedObject(f.kind, id); there {
		return refuse(f.existsCode, "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	}
	c.retain(f.kind, id, Object{"name": id, "source": c.ID, "createTime": c.Now().UTC().Format(time.RFC3339)})
	return nil
}
