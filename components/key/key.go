// Package key owns the KMS keys by which the platform's data are encrypted:
// their rotation, and which AWS services may use them. Who in the account may
// use a key is said by IAM policies.
package key

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

// deletionWindow, in days, is AWS's longest (KMS API, ScheduleKeyDeletion): as
// long as what was encrypted may be missed.
const deletionWindow = 30

// Args are what a Key is made from.
type Args struct {
	// Account is whose key it is.
	Account *account.Account
	// Description says what is encrypted with it.
	Description string
	// Users are the AWS services that use the key themselves; see Logs,
	// Service and Via. None: only who IAM policies of the account allow.
	Users []iam.Statement
}

// Key is a KMS key with a name.
type Key struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput
	// ID is the key's id, for the few properties that take no ARN.
	ID pulumi.StringOutput
}

// Cryptography lists the actions that a user of a key needs.
func Cryptography() []string {
	return []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"}
}

// Logs lets CloudWatch Logs encrypt the account's log groups (CloudWatch Logs
// User Guide, "Encrypt log data using AWS KMS").
func Logs(a *account.Account) iam.Statement {
	return iam.Statement{
		Sid:        "Logs",
		Principals: []iam.Principal{iam.ServicePrincipal("logs." + a.Region + ".amazonaws.com")},
		Actions:    Cryptography(),
		Resources:  iam.AnyResource(), // of a key's policy: the key
		Conditions: []iam.Condition{{
			Operator: "ArnLike", Key: "kms:EncryptionContext:aws:logs:arn",
			Values: iam.ARNs(a.ARN("logs", pulumi.String("*"))),
		}},
	}
}

// Service lets an AWS service use the key on behalf of this account.
func Service(a *account.Account, sid, service string) iam.Statement {
	return iam.Statement{
		Sid:        sid,
		Principals: []iam.Principal{iam.ServicePrincipal(service)},
		Actions:    Cryptography(),
		Resources:  iam.AnyResource(),
		Conditions: []iam.Condition{iam.Equals("aws:SourceAccount", a.ID)},
	}
}

// Via lets the account's own principals use the key through a service of its
// region, such as "ec2" for encrypted volumes of Auto Scaling Groups; it is
// what AWS's own keys allow (KMS Developer Guide, "kms:ViaService").
func Via(a *account.Account, sid, service string) iam.Statement {
	return iam.Statement{
		Sid:        sid,
		Principals: []iam.Principal{iam.Everyone()},
		Actions:    append([]string{"kms:CreateGrant"}, Cryptography()...),
		Resources:  iam.AnyResource(),
		Conditions: []iam.Condition{
			iam.Equals("kms:CallerAccount", a.ID),
			iam.Equals("kms:ViaService", pulumi.String(service+"."+a.Region+".amazonaws.com")),
		},
	}
}

// NewKey makes a symmetric key that rotates each year, with the alias
// alias/NAME.
func NewKey(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Key, error) {
	if args == nil || args.Account == nil || args.Description == "" {
		return nil, fmt.Errorf("key %s: %w", name, errors.New("Account and Description must be given"))
	}
	k := &Key{}
	if err := ctx.RegisterComponentResource("progressive:key:Key", name, k, opts...); err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	// Without it nobody could ever change the key again (KMS Developer Guide,
	// "Default key policy").
	owner := iam.Statement{
		Sid: "Account", Principals: []iam.Principal{iam.AWSPrincipal(args.Account.Root())},
		Actions: []string{"kms:*"}, Resources: iam.AnyResource(),
	}
	document, err := iam.ResourcePolicy(append([]iam.Statement{owner}, args.Users...)...)
	if err != nil {
		return nil, fmt.Errorf("policy of key %s: %w", name, err)
	}
	made, err := kms.NewKey(ctx, name+"-key", &kms.KeyArgs{
		Description:          pulumi.String(args.Description),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(deletionWindow),
		Policy:               document,
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	if _, err := kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/" + name),
		TargetKeyId: made.KeyId,
	}, pulumi.Parent(k)); err != nil {
		return nil, fmt.Errorf("alias of key %s: %w", name, err)
	}
	k.ARN, k.ID = made.Arn, made.KeyId
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{"arn": k.ARN})
}
