package mongo

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/docdb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
)

const (
	// copySchedule is the time of the daily snapshot in UTC. Its start window ends an hour before
	// DocumentDB's own backups (datastore.BackupWindow), so that the two do not meet.
	copySchedule = "cron(0 1 * * ? *)"
	// startMinutes is how long AWS Backup may try to start the snapshot. It is the shortest window
	// that AWS Backup accepts (AWS Backup API, BackupRuleInput).
	startMinutes = 60
	// completionMinutes is how long the snapshot may take before AWS Backup cancels it. The first
	// snapshot of a large cluster is the longest.
	completionMinutes = 12 * 60
	// keyIDStart is how many characters of a key's id are in the name of its vault. A vault's name
	// has at most 50 characters (AWS Backup API, CreateBackupVault).
	keyIDStart = 8
	// backupPolicy is the AWS managed policy of roles with which AWS Backup creates, copies and
	// expires backups (AWS Backup Developer Guide, "Managed policies for AWS Backup").
	backupPolicy = "service-role/AWSBackupServiceRolePolicyForBackup"
)

// newBackupCopy lets AWS Backup take a daily snapshot of the cluster and copy it to the other
// region, because DocumentDB copies no automated backups. AWS Backup deletes snapshot and copy after
// BackupDays. The cluster's key encrypts the snapshot, and a key of the other region the copy.
// Vaults, snapshots and keys stay when the cluster is deleted, unless DiscardData is set. AWS Backup
// acts only if it is enabled for DocumentDB in the account's region. Sources: AWS Backup Developer
// Guide, "Creating backup copies across AWS Regions", "Encryption for backups in AWS Backup" and
// "Opt in to managing services with AWS Backup".
func newBackupCopy(ctx *pulumi.Context, name string, args *ClusterArgs, spec docdbspec.Cluster, cluster *docdb.Cluster, clusterKey *key.Key, parent pulumi.ResourceOption) error {
	copyKey, err := args.Copy.NewKey(ctx, name, datastore.DocumentDB, args.DiscardData, parent)
	if err != nil {
		return err
	}
	vault, err := newVault(ctx, name+"-vault", spec.Identifier, clusterKey, args.DiscardData, parent)
	if err != nil {
		return err
	}
	copyVault, err := newVault(ctx, name+"-copy-vault", spec.Identifier, copyKey, args.DiscardData, parent, args.Copy.InRegion)
	if err != nil {
		return err
	}
	// The trust has no condition on aws:SourceAccount: AWS Backup documents none, and
	// iam:PassRole passes a role only to a plan of its own account.
	role, err := iam.NewRole(ctx, name+"-backup", &iam.RoleArgs{
		Account: args.Account, Description: "AWS Backup of DocumentDB " + name, Trust: iam.Service("backup.amazonaws.com"),
		ManagedPolicies: []string{backupPolicy},
	}, parent)
	if err != nil {
		return err
	}
	plan, err := backup.NewPlan(ctx, name+"-plan", &backup.PlanArgs{
		Name: pulumi.String(spec.Identifier),
		Rules: backup.PlanRuleArray{backup.PlanRuleArgs{
			RuleName:         pulumi.String("daily"),
			TargetVaultName:  vault.Name,
			Schedule:         pulumi.String(copySchedule),
			StartWindow:      pulumi.Int(startMinutes),
			CompletionWindow: pulumi.Int(completionMinutes),
			Lifecycle:        backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(spec.BackupDays)},
			CopyActions: backup.PlanRuleCopyActionArray{backup.PlanRuleCopyActionArgs{
				DestinationVaultArn: copyVault.Arn,
				Lifecycle:           backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(spec.BackupDays)},
			}},
		}},
	}, parent)
	if err != nil {
		return fmt.Errorf("backup plan of %s: %w", name, err)
	}
	if _, err := backup.NewSelection(ctx, name+"-selection", &backup.SelectionArgs{
		Name:       pulumi.String(spec.Identifier),
		PlanId:     plan.ID(),
		IamRoleArn: role.ARN,
		Resources:  pulumi.StringArray{cluster.Arn},
	}, parent, pulumi.DependsOn(role.Policies)); err != nil {
		return fmt.Errorf("backup selection of %s: %w", name, err)
	}
	return nil
}

// newVault creates a vault with the key. AWS Backup deletes only empty vaults, so the vault stays
// when the stack is destroyed. If discard is true, its snapshots are deleted with it. A part of the
// key's id makes the name unique, because the vault of a former cluster may still exist.
func newVault(ctx *pulumi.Context, name, identifier string, vaultKey *key.Key, discard bool, opts ...pulumi.ResourceOption) (*backup.Vault, error) {
	vaultName := vaultKey.ID.ApplyT(func(id string) string { return identifier + "-" + id[:min(len(id), keyIDStart)] }).(pulumi.StringOutput)
	vault, err := backup.NewVault(ctx, name, &backup.VaultArgs{
		Name: vaultName, KmsKeyArn: vaultKey.ARN, ForceDestroy: pulumi.Bool(discard),
	}, append(opts, pulumi.RetainOnDelete(!discard))...)
	if err != nil {
		return nil, fmt.Errorf("backup vault %s: %w", name, err)
	}
	return vault, nil
}
