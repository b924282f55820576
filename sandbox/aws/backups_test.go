package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const backupCopyT = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"

// RDS copies automated backups to another region, encrypted with a key of that region. The
// copies remain after the deletion of the replication and of the database.
func TestCopiedBackupsRemainAfterDeletionOfDatabase(t *testing.T) {
	f := newDataFixture(t)
	s, oregon := f.s, f.s.inRegion("us-west-2")
	virginiaKey, oregonKey := s.mustCreate(keyT, "virginia", nil), oregon.mustCreate(keyT, "oregon", nil)
	db := s.mustCreate(dbT, "main", with(f.db, props{"storageEncrypted": true, "kmsKeyId": virginiaKey.state["arn"], "backupRetentionPeriod": 14}))
	withoutBackups := s.mustCreate(dbT, "bare", with(f.db, props{"identifier": "bare", "backupRetentionPeriod": 0}))
	in := props{"sourceDbInstanceArn": db.state["arn"], "kmsKeyId": oregonKey.state["arn"], "retentionPeriod": 14}
	s.requireRefusals([]refusal{
		{"the region of the database", backupCopyT, with(in, props{"kmsKeyId": virginiaKey.state["arn"]}), "can't be replicated from us-east-1 to us-east-1"},
	})
	oregon.requireRefusals([]refusal{
		{"no key for an encrypted database", backupCopyT, with(in, props{"kmsKeyId": nil}), "a KMS key of us-west-2 must be given"},
		{"a key of the database's region", backupCopyT, with(in, props{"kmsKeyId": virginiaKey.state["arn"]}), "is not in us-west-2"},
		{"a database without backups", backupCopyT, with(in, props{"sourceDbInstanceArn": withoutBackups.state["arn"]}), "not enabled"},
		{"a database that does not exist", backupCopyT, with(in, props{"sourceDbInstanceArn": "arn:aws:rds:us-east-1:123456789012:db:none"}), "DBInstanceNotFound"},
		{"36 days", backupCopyT, with(in, props{"retentionPeriod": 36}), "retentionPeriod"},
	})
	copies := oregon.mustCreate(backupCopyT, "copies", in)
	require.Contains(t, copies.id, "arn:aws:rds:us-west-2:123456789012:auto-backup:ab-")
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, oregon.diff(copies, in).GetChanges())
	require.Equal(t, []string{"retentionPeriod"}, oregon.diff(copies, with(in, props{"retentionPeriod": 7})).GetReplaces())
	oregon.requireRefusals([]refusal{{"a second replication to the same region", backupCopyT, in, "replicated to us-west-2 already"}})

	require.NoError(t, oregon.delete(copies))
	require.NoError(t, s.delete(db))
	keptCopies := 0
	require.NoError(t, s.p.store.View(t.Context(), func(tx *store.Tx) error {
		for _, o := range tx.All() {
			if o.Type == "aws:rds/automated-backup" && o.Region == "us-west-2" {
				keptCopies++
				require.Equal(t, oregonKey.state["arn"], o.State["kmsKeyId"])
			}
		}
		return nil
	}))
	require.Equal(t, 1, keptCopies)
}
