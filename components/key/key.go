// Package key owns the KMS keys of the platform. NewKey creates a key that encrypts data,
// with its rotation and the AWS services that may use it. IAM policies of the account allow
// roles to use such a key. NewSigningKey creates a key that signs images.
package key

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

// deletionWindow is the number of days between the request to delete a key and its deletion. It
// is the longest that AWS allows (KMS API, ScheduleKeyDeletion), because encrypted data is lost
// with the key.
const deletionWindow = 30

// Args configure a Key.
type Args struct {
	// Account is the account that owns the key.
	Account *account.Account
	// Description names what the key encrypts.
	Description string
	// Users are the policy statements for the AWS services that use the key. See AllowLogs and
	// AllowViaService. Without such statements, only principals of the account can use the key.
	Users []iam.Statement
	// Retain keeps the key when the stack is destroyed. Encrypted data that outlives the
	// stack, such as final snapshots, needs the key. The key costs 1 USD a month until
	// somebody schedules its deletion.
	Retain bool
}

// Key is a KMS key with a name.
type Key struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput
	// ID is the id of the key, for the few properties that accept no ARN.
	ID pulumi.StringOutput
}

// CryptographicActions lists the actions that a user of a key needs.
func CryptographicActions() []string {
	return []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"}
}

// AllowLogs returns the statement that allows CloudWatch Logs to encrypt the log groups of the account.
// Source: CloudWatch Logs User Guide, "Encrypt log data using AWS KMS".
func AllowLogs(a *account.Account) iam.Statement {
	return iam.Statement{
		Sid:        "Logs",
		Principals: []iam.Principal{iam.ServicePrincipal("logs." + a.Region + ".amazonaws.com")},
		Actions:    CryptographicActions(),
		Resources:  iam.AnyResource(), // in a key's policy this means the key itself
		Conditions: []iam.Condition{{
			Operator: "ArnLike", Key: "kms:EncryptionContext:aws:logs:arn",
			Values: iam.ARNs(a.ARN("logs", pulumi.String("*"))),
		}},
	}
}

// AllowViaService returns the statement that allows all principals of the account to use the key
// through one service of its region. An example is "ec2", for encrypted volumes of Auto
// Scaling Groups. AWS managed keys have the same permission (KMS Developer Guide,
// "kms:ViaService").
func AllowViaService(a *account.Account, sid, service string) iam.Statement {
	return iam.Statement{
		Sid:        sid,
		Principals: []iam.Principal{iam.Everyone()},
		Actions:    append([]string{"kms:CreateGrant"}, CryptographicActions()...),
		Resources:  iam.AnyResource(),
		Conditions: []iam.Condition{
			iam.Equals("kms:CallerAccount", a.ID),
			iam.Equals("kms:ViaService", pulumi.String(service+"."+a.Region+".amazonaws.com")),
		},
	}
}

// NewKey creates a symmetric key with yearly rotation and the alias alias/NAME.
func NewKey(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Key, error) {
	if args == nil || args.Account == nil || args.Description == "" {
		return nil, fmt.Errorf("key %s: %w", name, errors.New("Account and Description must be set"))
	}
	k := &Key{}
	if err := ctx.RegisterComponentResource("progressive:key:Key", name, k, opts...); err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	// Without this statement nobody could change the key again (KMS Developer
	// Guide, "Default key policy").
	accountAccess := accountStatement(args.Account, "kms:*")
	policy, err := iam.ResourcePolicy(append([]iam.Statement{accountAccess}, args.Users...)...)
	if err != nil {
		return nil, fmt.Errorf("policy of key %s: %w", name, err)
	}
	if err := k.create(ctx, name, &kms.KeyArgs{
		Description:       pulumi.String(args.Description),
		EnableKeyRotation: pulumi.Bool(true),
		Policy:            policy,
	}, pulumi.RetainOnDelete(args.Retain)); err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	return k, nil
}

// accountStatement returns the statement of a key policy that lets IAM policies of the account
// allow the actions on the key.
func accountStatement(a *account.Account, actions ...string) iam.Statement {
	return iam.Statement{Sid: "Account", Principals: []iam.Principal{iam.AWSPrincipal(a.Root())}, Actions: actions, Resources: iam.AnyResource()}
}

// create creates the KMS key of the component, with its alias.
func (k *Key) create(ctx *pulumi.Context, name string, args *kms.KeyArgs, opts ...pulumi.ResourceOption) error {
	args.DeletionWindowInDays = pulumi.Int(deletionWindow)
	kmsKey, err := kms.NewKey(ctx, name+"-key", args, append(opts, pulumi.Parent(k))...)
	if err != nil {
		return err
	}
	if _, err := kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/" + name),
		TargetKeyId: kmsKey.KeyId,
	}, pulumi.Parent(k)); err != nil {
		return fmt.Errorf("alias: %w", err)
	}
	k.ARN, k.ID = kmsKey.Arn, kmsKey.KeyId
	return ctx.RegisterResourceOutputs(k, pulumi.Map{"arn": k.ARN})
}
