package aws

import (
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
)

const (
	vaultT     = "aws:backup/vault:Vault"
	planT      = "aws:backup/plan:Plan"
	selectionT = "aws:backup/selection:Selection"

	backupTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

// AWS Backup copies the snapshots of a DocumentDB cluster to a vault in another region.
func TestBackupPlanCopiesSnapshotsToAnotherRegion(t *testing.T) {
	f := newDataFixture(t)
	s, oregon := f.s, f.s.inRegion("us-west-2")
	virginiaKey, oregonKey := s.mustCreate(keyT, "virginia", nil), oregon.mustCreate(keyT, "oregon", nil)
	vaultIn := props{"name": "docs", "kmsKeyArn": virginiaKey.state["arn"]}
	vault := s.mustCreate(vaultT, "vault", vaultIn)
	copies := oregon.mustCreate(vaultT, "copies", props{"name": "docs", "kmsKeyArn": oregonKey.state["arn"]})
	require.Equal(t, "arn:aws:backup:us-west-2:123456789012:backup-vault:docs", copies.state["arn"])
	require.Contains(t, s.mustCreate(vaultT, "bare", props{"name": "bare"}).state["kmsKeyArn"], ":key/", "AWS's own key")
	rule := props{
		"ruleName": "daily", "targetVaultName": vault.id, "schedule": "cron(0 1 * * ? *)", "lifecycle": props{"deleteAfter": 14},
		"copyActions": []any{props{"destinationVaultArn": copies.state["arn"], "lifecycle": props{"deleteAfter": 14}}},
	}
	planWith := func(change props) props { return props{"name": "docs", "rules": []any{with(rule, change)}} }
	plan := s.mustCreate(planT, "plan", planWith(nil))
	cluster := s.mustCreate(docClusterT, "docs", f.doc)
	role := s.mustCreate(roleT, "backup", props{"assumeRolePolicy": backupTrust})
	otherRole := s.mustCreate(roleT, "monitoring", props{"assumeRolePolicy": monitoringTrust})
	selectionIn := props{"name": "docs", "planId": plan.id, "iamRoleArn": role.state["arn"], "resources": []any{cluster.state["arn"]}}
	selection := s.mustCreate(selectionT, "selection", selectionIn)

	s.requireRefusals([]refusal{
		{"a vault that exists", vaultT, vaultIn, "AlreadyExistsException"},
		{"a name of 51 characters", vaultT, props{"name": "a23456789012345678901234567890123456789012345678901"}, "must match ^[a-zA-Z0-9"},
		{"a key of another region", vaultT, props{"name": "other", "kmsKeyArn": oregonKey.state["arn"]}, "is not in us-east-1"},
		{"a vault that does not exist", planT, planWith(props{"targetVaultName": "none"}), "'none' does not exist"},
		{"copies to a vault that does not exist", planT, planWith(props{"copyActions": []any{props{"destinationVaultArn": "arn:aws:backup:us-west-2:123456789012:backup-vault:none"}}}), "does not exist"},
		{"copies in the same region", planT, planWith(props{"copyActions": []any{props{"destinationVaultArn": vault.state["arn"]}}}), "is in the region of the backup"},
		{"a start window of half an hour", planT, planWith(props{"startWindow": 30}), "must be 60 to"},
		{"a lifecycle of no days", planT, planWith(props{"lifecycle": props{"deleteAfter": 0}}), "must be 1 to 36500"},
		{"a schedule that is no cron expression", planT, planWith(props{"schedule": "daily"}), "cron("},
		{"cold storage", planT, planWith(props{"lifecycle": props{"coldStorageAfter": 1, "deleteAfter": 100}}), "cold storage"},
		{"a plan that does not exist", selectionT, with(selectionIn, props{"planId": "none"}), "'none' does not exist"},
		{"a role that AWS Backup may not assume", selectionT, with(selectionIn, props{"iamRoleArn": otherRole.state["arn"]}), "cannot be assumed by AWS Backup"},
		{"a cluster that does not exist", selectionT, with(selectionIn, props{"resources": []any{"arn:aws:rds:us-east-1:123456789012:cluster:none"}}), "does not exist"},
		{"everything with a tag", selectionT, with(selectionIn, props{"selectionTags": []any{props{"type": "STRINGEQUALS", "key": "a", "value": "b"}}}), "name the resources"},
	})
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(vault, vaultIn).GetChanges())
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(selection, selectionIn).GetChanges())
	require.Equal(t, []string{"resources"}, s.diff(selection, with(selectionIn, props{"resources": []any{"arn:aws:rds:us-east-1:123456789012:cluster:other"}})).GetReplaces())
	require.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, s.diff(plan, planWith(nil)).GetChanges())
	longer := planWith(props{"lifecycle": props{"deleteAfter": 21}})
	require.Empty(t, s.diff(plan, longer).GetReplaces(), "another lifecycle updates the plan")
	require.NoError(t, s.update(plan, longer))

	require.ErrorContains(t, s.delete(plan), "InvalidRequestException", "its selection must be deleted first")
	require.NoError(t, s.delete(selection))
	require.NoError(t, s.delete(plan))
	require.NoError(t, s.delete(vault))
	require.NoError(t, oregon.delete(copies))
}
