// Package secret owns generated secrets. AWS or the provider "ko" generates the value,
// Secrets Manager stores it encrypted, and it is never written in plain text.
package secret

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// defaultLength is the default number of characters. 40 letters and digits have 238 bits of
	// entropy, which nobody can guess.
	defaultLength = 40
	// minLength is the shortest auth token of ElastiCache (ElastiCache User
	// Guide, "Authenticating with the AUTH command"). A shorter value is too easy
	// to guess.
	minLength = 16
	// maxLength is the longest value that Secrets Manager generates (Secrets Manager API,
	// GetRandomPassword).
	maxLength = 4096
	// recoveryDays is the number of days for which a deleted secret can be restored. It is
	// the maximum of AWS (Secrets Manager API, DeleteSecret).
	recoveryDays = 30
)

// Args configure a Secret.
type Args struct {
	// KeyARN is the KMS key that encrypts the value.
	KeyARN pulumi.StringInput
	// Description names the access that the value gives, such as "password of Redis".
	Description string
	// Length is the number of letters and digits of the value, 16 to 4096. Zero
	// means 40.
	Length int
	// Generation counts the rotations. An increase by one generates a new value.
	// The previous value stays accepted until the next increase.
	Generation int
	// Unprotected makes a deletion final. Otherwise a deleted secret can be
	// restored for 30 days.
	Unprotected bool
	// Accept registers the resources that make the server accept the values, and returns
	// these resources. Readers of the secret get a value only after the resources exist. nil
	// means that readers get a value immediately.
	Accept func(accepted pulumi.StringArray) ([]pulumi.Resource, error)
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.KeyARN == nil || a.Description == "":
		return errors.New("KeyARN and Description must be set")
	case a.Length != 0 && (a.Length < minLength || a.Length > maxLength):
		return fmt.Errorf("Length is %d; must be %d to %d, or 0 for %d", a.Length, minLength, maxLength, defaultLength)
	case a.Generation < 0:
		return fmt.Errorf("Generation is %d; must not be below 0", a.Generation)
	}
	return nil
}

// Secret is a generated value in Secrets Manager.
type Secret struct {
	pulumi.ResourceState

	// ARN is the ARN of the secret, for the policies and the configuration of readers.
	ARN pulumi.StringOutput
	// Value is a Pulumi secret: encrypted in the state and hidden in the output.
	Value pulumi.StringOutput
	// Accepted are Value and, after a rotation, the previous value. A server must
	// accept both, so that clients with the previous value still get access.
	Accepted pulumi.StringArray
	// Ready are the versions of the secret. A resource that reads Value from the secret must
	// depend on them.
	Ready []pulumi.Resource
}

// NewSecret creates a secret with a generated value, which stays the same until
// Generation changes.
func NewSecret(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Secret, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	s := &Secret{}
	if err := ctx.RegisterComponentResource("progressive:secret:Secret", name, s, opts...); err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	parent := pulumi.Parent(s)
	recovery := recoveryDays
	if args.Unprotected {
		recovery = 0
	}
	secret, err := secretsmanager.NewSecret(ctx, name+"-secret", &secretsmanager.SecretArgs{
		Description:          pulumi.String(args.Description),
		KmsKeyId:             args.KeyARN,
		RecoveryWindowInDays: pulumi.Int(recovery),
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	s.ARN = secret.Arn
	if args.Accept != nil {
		err = s.storeAfterAccept(ctx, name, args, secret, parent)
	} else {
		err = s.storeImmediately(ctx, name, args, secret, parent)
	}
	if err != nil {
		return nil, err
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"arn": s.ARN})
}

// storeImmediately generates the values with AWS's GetRandomPassword, and stores them in the
// secret immediately.
func (s *Secret) storeImmediately(ctx *pulumi.Context, name string, args *Args, secret *secretsmanager.Secret, parent pulumi.ResourceOrInvokeOption) error {
	// The previous value is created first, because Secrets Manager treats the
	// last created value as the current one.
	for generation := max(0, args.Generation-1); generation <= args.Generation; generation++ {
		generated := secretsmanager.GetRandomPasswordOutput(ctx, secretsmanager.GetRandomPasswordOutputArgs{
			PasswordLength:     pulumi.Int(cmp.Or(args.Length, defaultLength)),
			ExcludePunctuation: pulumi.Bool(true), // the value must be usable in headers, URLs and AUTH commands
		}, parent)
		version, err := secretsmanager.NewSecretVersion(ctx, fmt.Sprintf("%s-version-%d", name, generation), &secretsmanager.SecretVersionArgs{
			SecretId:     secret.ID(),
			SecretString: pulumi.ToSecret(generated.RandomPassword()).(pulumi.StringOutput),
		}, parent, pulumi.DependsOn(s.Ready), pulumi.IgnoreChanges([]string{"secretString"})) // each run of Pulumi generates a different value
		if err != nil {
			return fmt.Errorf("value of secret %s: %w", name, err)
		}
		s.addValue(version.SecretString.Elem())
		s.Ready = append(s.Ready, version)
	}
	return nil
}

// PasswordToken is the type of a generated password. The provider "ko" implements it (package
// components/image/provider).
const PasswordToken = "ko:index:Password"

// generatedPassword is a resource of the type PasswordToken.
type generatedPassword struct {
	pulumi.CustomResourceState

	Value pulumi.StringOutput `pulumi:"value"`
}

// storeAfterAccept generates the values with the provider "ko". It stores the current value in the
// secret only after the server accepts the value (Args.Accept).
func (s *Secret) storeAfterAccept(ctx *pulumi.Context, name string, args *Args, secret *secretsmanager.Secret, parent pulumi.ResourceOption) error {
	for generation := max(0, args.Generation-1); generation <= args.Generation; generation++ {
		var generated generatedPassword
		if err := ctx.RegisterResource(PasswordToken, fmt.Sprintf("%s-password-%d", name, generation), pulumi.Map{
			"length": pulumi.Int(cmp.Or(args.Length, defaultLength)),
		}, &generated, parent, pulumi.AdditionalSecretOutputs([]string{"value"})); err != nil {
			return fmt.Errorf("value of secret %s: %w", name, err)
		}
		s.addValue(generated.Value)
	}
	acceptResources, err := args.Accept(s.Accepted)
	if err != nil {
		return err
	}
	version, err := secretsmanager.NewSecretVersion(ctx, fmt.Sprintf("%s-version-%d", name, args.Generation), &secretsmanager.SecretVersionArgs{
		SecretId: secret.ID(), SecretString: s.Value,
	}, parent, pulumi.DependsOn(acceptResources))
	if err != nil {
		return fmt.Errorf("value of secret %s: %w", name, err)
	}
	s.Ready = []pulumi.Resource{version}
	return nil
}

// addValue makes value the current value, and adds it to the accepted values.
func (s *Secret) addValue(value pulumi.StringOutput) {
	s.Value = pulumi.ToSecret(value).(pulumi.StringOutput)
	s.Accepted = append(pulumi.StringArray{s.Value}, s.Accepted...)
}
