package postgres

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
)

// newBackupCopy creates a key in the other region and the replication, with which RDS copies the
// automated backups there. The copies allow point-in-time recovery. RDS keeps
// each copy for the given number of days. The copies stay when the database is deleted. The key
// stays unless discard is true. Source: RDS User Guide, "Replicating automated backups to another
// AWS Region".
func newBackupCopy(ctx *pulumi.Context, name string, region *datastore.CopyRegion, instance *rds.Instance, days int, discard bool, parent pulumi.ResourceOption) error {
	copyKey, err := region.NewKey(ctx, name, datastore.PostgreSQL, discard, parent)
	if err != nil {
		return err
	}
	// RDS allows one replication of an instance's backups to a region. So a change of days
	// deletes the replication before it creates another one. Existing copies stay.
	if _, err := rds.NewInstanceAutomatedBackupsReplication(ctx, name+"-copy", &rds.InstanceAutomatedBackupsReplicationArgs{
		SourceDbInstanceArn: instance.Arn,
		KmsKeyId:            copyKey.ARN,
		RetentionPeriod:     pulumi.Int(days),
	}, parent, region.InRegion, pulumi.DeleteBeforeReplace(true)); err != nil {
		return fmt.Errorf("copies of the backups of %s in %s: %w", name, region.Account.Region, err)
	}
	return nil
}
