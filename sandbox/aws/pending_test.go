package aws

import (
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// pendingChangeCount returns the number of objects with values that wait for a maintenance
// window.
func (s *sandbox) pendingChangeCount() (n int) {
	s.t.Helper()
	require.NoError(s.t, s.p.store.View(s.t.Context(), func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Type == "aws:pending-change" {
				n++
			}
		}
		return nil
	}))
	return n
}

// A change that interrupts a data store waits for the maintenance window. Until then a read
// returns the former value, so every preview shows the change again.
func TestChangesWaitForTheMaintenanceWindow(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	cluster := s.mustCreate(docClusterT, "docs", f.doc)
	const sunday = "sun:04:30-sun:05:30"
	for _, row := range []struct {
		token, property, wanted string
		in                      props
	}{
		{dbT, "instanceClass", "db.r6g.2xlarge", with(f.db, props{"maintenanceWindow": sunday, "parameterGroupName": "default.postgres17"})},
		{cacheT, "nodeType", "cache.r6g.xlarge", with(f.sharded, props{"maintenanceWindow": sunday})},
		{docClusterInstanceT, "instanceClass", "db.r6g.large", props{"clusterIdentifier": cluster.id, "instanceClass": "db.t4g.medium", "preferredMaintenanceWindow": sunday}},
	} {
		t.Run(row.token, func(t *testing.T) {
			s.p.cloud.Now = func() time.Time { return today.Add(12 * time.Hour) } // a Sunday
			in := with(row.in, props{"applyImmediately": nil})
			r := s.mustCreate(row.token, "store", in)
			former := r.state[row.property]
			change := with(in, props{row.property: row.wanted})
			require.NoError(t, s.update(r, change))
			require.Equal(t, former, r.state[row.property])
			require.Equal(t, 1, s.pendingChangeCount())
			require.Equal(t, pulumirpc.DiffResponse_DIFF_SOME, s.diff(r, change).GetChanges())

			s.p.cloud.Now = func() time.Time { return today.Add(7*24*time.Hour + 4*time.Hour) } // half an hour before the window
			require.True(t, s.refresh(r))
			require.Equal(t, former, r.state[row.property])
			s.p.cloud.Now = func() time.Time { return today.Add(7*24*time.Hour + 5*time.Hour) }
			require.True(t, s.refresh(r))
			require.Equal(t, row.wanted, r.state[row.property])
			require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(r, change).GetChanges())
			require.NoError(t, s.update(r, change))
			require.Zero(t, s.pendingChangeCount())

			// If the program returns to the former value while the change waits, the pending
			// change is deleted. A change with applyImmediately does not wait.
			require.NoError(t, s.update(r, in))
			require.Equal(t, row.wanted, r.state[row.property])
			require.NoError(t, s.update(r, change))
			require.Zero(t, s.pendingChangeCount())
			require.NoError(t, s.update(r, with(in, props{"applyImmediately": true})))
			require.Equal(t, former, r.state[row.property])
			require.NoError(t, s.update(r, change))
			require.Equal(t, 1, s.pendingChangeCount())
			require.NoError(t, s.delete(r))
			require.Zero(t, s.pendingChangeCount(), "the pending change is deleted with the data store")
		})
	}
}

// A database does not start with the memory settings of a larger class.
func TestSharedBuffersMustFitTheRunningClass(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	s.mustCreate(dbParametersT, "large", props{"name": "large", "family": "postgres17", "parameters": parameterInputs([]string{"shared_buffers", "2097152", "pending-reboot"})})
	in := with(f.db, props{"parameterGroupName": "large"})
	s.requireRefusals([]refusal{{"16 GiB of buffers in a class with 16 GiB of memory", dbT, in, "incompatible-parameters: shared_buffers of large is 16384 MiB, and db.r6g.large has 16384 MiB"}})
	db := s.mustCreate(dbT, "db", f.db)
	wanted := with(in, props{"instanceClass": "db.r6g.4xlarge"})
	require.ErrorContains(t, s.update(db, with(wanted, props{"applyImmediately": nil})), "incompatible-parameters", "the former class runs until the window")
	require.NoError(t, s.update(db, wanted))
}

// A larger class waits for the maintenance window. Until then getInstance returns the
// former class.
func TestGetInstanceReturnsTheRunningClass(t *testing.T) {
	f := newDataFixture(t)
	s := f.s
	in := with(f.db, props{"identifier": "main", "applyImmediately": nil, "maintenanceWindow": "sun:04:30-sun:05:30"})
	db := s.mustCreate(dbT, "main", in)
	require.NoError(t, s.update(db, with(in, props{"instanceClass": "db.r6g.2xlarge"})))
	found, err := s.invoke("aws:rds/getInstance:getInstance", props{"dbInstanceIdentifier": "main"})
	require.NoError(t, err)
	require.Equal(t, []any{"db.r6g.large", "sun:04:30-sun:05:30"}, []any{found["dbInstanceClass"], found["preferredMaintenanceWindow"]})
	_, err = s.invoke("aws:rds/getInstance:getInstance", props{"dbInstanceIdentifier": "none"})
	require.ErrorContains(t, err, "DBInstanceNotFound")
}
