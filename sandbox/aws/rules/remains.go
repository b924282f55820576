package rules

import (
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// The types of what AWS keeps after a deletion and no program makes. They have
// no rows: `sandbox aws list` shows them, and `sandbox aws delete` ends them.
const (
	instanceSnapshot = "aws:rds/final-snapshot"
	clusterSnapshot  = "aws:docdb/final-snapshot"
	cacheSnapshot    = "aws:elasticache/final-snapshot"
	deletedSecret    = "aws:secretsmanager/deleted-secret"
)

var remains = []string{instanceSnapshot, clusterSnapshot, cacheSnapshot, deletedSecret}

// left finds what an earlier deletion left.
func (c *Call) left(typ, id string) (store.Object, bool) {
	return c.Tx.Get(store.Key{Scope: c.scope(c.Row), Type: typ, ID: id})
}

// leave keeps something after this object's deletion.
func (c *Call) leave(typ, id string, state Object) {
	c.Tx.Put(store.Object{
		Key: store.Key{Scope: c.scope(c.Row), Type: typ, ID: id}, Created: c.Now().UTC(), State: state,
	})
}

// finalSnapshot is how a type of database takes its last snapshot.
type finalSnapshot struct {
	kind, taken string // the type of the snapshot, and AWS's code for one that is there
}

// take refuses a deletion without a decision about the last snapshot, and
// takes it. The first text is the provider's own.
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

// keep takes a snapshot.
func (f finalSnapshot) keep(c *Call, id string) error {
	if _, there := c.left(f.kind, id); there {
		return refuse(f.taken, "Cannot create the snapshot because a snapshot with the identifier %s already exists.", id)
	}
	c.leave(f.kind, id, Object{"name": id, "source": c.ID, "createTime": c.Now().UTC().Format(time.RFC3339)})
	return nil
}
