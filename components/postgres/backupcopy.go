package postgres

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/key"
)

// BackupCopy is a copy of the automated backups in another region. If the database's own region is
// lost, the database can be restored from the copy to any second. Source: RDS User Guide,
// "Replicating automated backups to another AWS Region".
type BackupCopy struct {
	// Account is the stack's account with the other region.
	Account *account.Account
	// InRegion selects the AWS provider of that region.
	InRegion pulumi.ResourceOption
}

// create creates a key in the other region and the replication, with which RDS copies the backups
// there. RDS keeps each copy for the given number of days. The copies stay when the database is deleted.
// The key stays unless discard is true.
func (c *BackupCopy) create(ctx *pulumi.Context, name string, instance *rds.Instance, days int, discard bool, parent pulumi.ResourceOption) error {
	copyKey, err := key.NewKey(ctx, name+"-copy", &key.Args{
		Account: c.Account, Description: "Copies of the backups of PostgreSQL " + name, Retain: !discard,
	}, parent, c.InRegion)
	if err != nil {
		return err
	}
	// RDS allows one replication of an instance's backups to a region. So a change of days
	// deletes the replication before it creates another one. Existing copies stay.
	if _, err := rds.NewInstanceAutomatedBackupsReplication(ctx, name+"-copy", &rds.InstanceAutomatedBackupsReplicationArgs{
		SourceDbInstanceArn: instance.Arn,
		KmsKeyId:            copyKey.ARN,
		RetentionPeriod:     pulumi.Int(days),
	}, parent, c.InRegion, pulumi.DeleteBeforeReplace(true)); err != nil {
		return fmt.Errorf("copies of the backups of %s in %s: %w", name, c.Account.Region, err)
	}
	return nil
}
