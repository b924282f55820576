// Package secretfiles owns the mounting of a Secrets Manager secret as files in
// pods: the SecretProviderClass for the Secrets Store CSI driver, and the
// permissions of a role that mounts it. The driver is an add-on (package addons).
// The pods read secrets with their own roles (package service).
package secretfiles

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
)

const (
	// Driver is the name of the Secrets Store CSI driver.
	Driver = "secrets-store.csi.k8s.io"
	// FileName is the file with the password. Stores in the cluster use the same name.
	FileName = "password"
)

// Args configure a Class.
type Args struct {
	// Account is the account and region of the secret.
	Account *account.Account
	// ClassName is the object's name, unique in the namespace.
	ClassName string
	// Namespace is the namespace of the pods.
	Namespace pulumi.StringInput
	// SecretARN is the ARN of the secret.
	SecretARN pulumi.StringInput
	// KeyARN is the KMS key that encrypts the secret. nil means the AWS managed
	// key of Secrets Manager, which needs no permission.
	KeyARN pulumi.StringInput
	// Field is the field of the secret's JSON value that has the password. Empty
	// means that the whole value is the password.
	Field string
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.ClassName == "" || a.Namespace == nil || a.SecretARN == nil {
		return errors.New("secret files: Account, ClassName, Namespace and SecretARN must be set")
	}
	return nil
}

// Class is a secret that pods of one namespace can mount. It grants no permission. The CSI
// provider reads the secret with the role of the pod that mounts it.
type Class struct {
	// Name is the name of the SecretProviderClass, for a pod's volume. It is known when
	// the class is created.
	Name              pulumi.StringOutput
	secretARN, keyARN pulumi.StringInput
}

// NewClass creates the SecretProviderClass. opts must have a dependency on the add-on that
// installs the CustomResourceDefinition.
func NewClass(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Class, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	parameter := args.SecretARN.ToStringOutput().ApplyT(func(arn string) (string, error) {
		return objectsParameter(arn, args.Field)
	}).(pulumi.StringOutput)
	class, err := apiextensions.NewCustomResource(ctx, name+"-class", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("secrets-store.csi.x-k8s.io/v1"),
		Kind:       pulumi.String("SecretProviderClass"),
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(args.ClassName), Namespace: args.Namespace},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"provider": pulumi.String("aws"),
			"parameters": pulumi.StringMap{
				"objects":        parameter,
				"region":         pulumi.String(args.Account.Region), // otherwise the provider reads the region from the node at each mount
				"usePodIdentity": pulumi.String("true"),
			},
		}},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("SecretProviderClass %s: %w", args.ClassName, err)
	}
	return &Class{Name: class.Metadata.Name().Elem(), secretARN: args.SecretARN, keyARN: args.KeyARN}, nil
}

// Permissions returns the statements that allow a role to read the secrets of the classes. Without
// classes it returns nil. Sources: aws/secrets-store-csi-driver-provider-aws, README, "Usage";
// Secrets Manager User Guide, "Permissions for the KMS key".
func Permissions(a *account.Account, classes ...*Class) []iam.Statement {
	var secrets, keys []pulumi.StringInput
	for _, c := range classes {
		secrets = append(secrets, c.secretARN)
		if c.keyARN != nil {
			keys = append(keys, c.keyARN)
		}
	}
	var statements []iam.Statement
	if len(secrets) > 0 {
		statements = append(statements, iam.Statement{
			Sid: "Read", Actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, Resources: secrets,
		})
	}
	if len(keys) > 0 {
		statements = append(statements, iam.Statement{
			Sid: "Decrypt", Actions: []string{"kms:Decrypt"}, Resources: keys,
			Conditions: []iam.Condition{iam.Equals("kms:ViaService", pulumi.String("secretsmanager."+a.Region+".amazonaws.com"))},
		})
	}
	return statements
}
