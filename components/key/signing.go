package key

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

// SigningArgs configure a signing key.
type SigningArgs struct {
	// Account is the account that owns the key.
	Account *account.Account
	// Description names what the key signs.
	Description string
	// Signers are the ARNs of the roles and users that may sign. IAM policies of the
	// account can't allow others to sign.
	Signers []string
}

// administrationActions lists the actions on a signing key that IAM policies of the account may
// allow: all that a deployment needs, but not kms:Sign. A principal that may change the
// key's policy can still add a signer. KMS requires such a principal for every key (KMS
// Developer Guide, "Default key policy").
func administrationActions() []string {
	return []string{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:Describe*", "kms:DisableKey", "kms:EnableKey", "kms:Get*", "kms:List*",
		"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
	}
}

// NewSigningKey creates a key that signs with ECDSA P-256, with the alias alias/NAME. The
// private part never leaves KMS. KMS can't rotate such a key. A rotation creates a new key
// (docs/promotion.md).
func NewSigningKey(ctx *pulumi.Context, name string, args *SigningArgs, opts ...pulumi.ResourceOption) (*Key, error) {
	if args == nil || args.Account == nil || args.Description == "" || len(args.Signers) == 0 {
		return nil, fmt.Errorf("signing key %s: %w", name, errors.New("Account, Description and Signers must be set"))
	}
	k := &Key{}
	if err := ctx.RegisterComponentResource("progressive:key:SigningKey", name, k, opts...); err != nil {
		return nil, fmt.Errorf("signing key %s: %w", name, err)
	}
	var signers []iam.Principal
	for _, arn := range args.Signers {
		signers = append(signers, iam.AWSPrincipal(pulumi.String(arn)))
	}
	policy, err := iam.ResourcePolicy(
		accountStatement(args.Account, administrationActions()...),
		iam.Statement{
			Sid: "PublicKey", Principals: signers, Actions: []string{"kms:DescribeKey", "kms:GetPublicKey"}, Resources: iam.AnyResource(),
		},
		// The conditions allow only the kind of request that release/signer sends.
		iam.Statement{
			Sid: "Sign", Principals: signers, Actions: []string{"kms:Sign"}, Resources: iam.AnyResource(),
			Conditions: []iam.Condition{
				iam.Equals("kms:MessageType", pulumi.String("DIGEST")),
				iam.Equals("kms:SigningAlgorithm", pulumi.String("ECDSA_SHA_256")),
			},
		},
	)
	if err != nil {
		return nil, fmt.Errorf("policy of signing key %s: %w", name, err)
	}
	if err := k.create(ctx, name, &kms.KeyArgs{
		Description:           pulumi.String(args.Description),
		KeyUsage:              pulumi.String("SIGN_VERIFY"),
		CustomerMasterKeySpec: pulumi.String("ECC_NIST_P256"),
		Policy:                policy,
	}); err != nil {
		return nil, fmt.Errorf("signing key %s: %w", name, err)
	}
	return k, nil
}
