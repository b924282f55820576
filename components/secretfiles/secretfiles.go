// Package secretfiles owns how a secret of Secrets Manager comes to pods as
// files: the SecretProviderClass that names it to the Secrets Store CSI driver,
// and what a role must be allowed to mount it. The driver is an add-on (package
// addons); the pods, which read under their own roles, are package service's.
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
	// FileName is the file that holds the password, the same as in a Secret of
	// a store in the cluster.
	FileName = "password"
)

// Args are what a Class is made from.
type Args struct {
	// Account is where the secret lies.
	Account *account.Account
	// ClassName is unique in the namespace.
	ClassName string
	// Namespace is that of the pods.
	Namespace pulumi.StringInput
	// SecretARN is the secret.
	SecretARN pulumi.StringInput
	// KeyARN is the KMS key by which the secret is kept; nil: the one that AWS
	// keeps for Secrets Manager, which needs no right.
	KeyARN pulumi.StringInput
	// Field is the field of the secret's JSON value that is the password; empty:
	// the whole value is.
	Field string
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.ClassName == "" || a.Namespace == nil || a.SecretARN == nil {
		return errors.New("secret files: Account, ClassName, Namespace and SecretARN must be given")
	}
	return nil
}

// Class is a secret that pods of one namespace can mount. It holds no right:
// the provider reads the secret under the role of the pod that mounts it.
type Class struct {
	// Name is what a pod's volume names, known once the class is made.
	Name              pulumi.StringOutput
	secretARN, keyARN pulumi.StringInput
}

// NewClass makes the SecretProviderClass. Its kind comes with an add-on, on
// which opts must depend.
func NewClass(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Class, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	list := args.SecretARN.ToStringOutput().ApplyT(func(arn string) (string, error) {
		return objects(arn, args.Field)
	}).(pulumi.StringOutput)
	class, err := apiextensions.NewCustomResource(ctx, name+"-class", &apiextensions.CustomResourceArgs{
		ApiVersion: pulumi.String("secrets-store.csi.x-k8s.io/v1"),
		Kind:       pulumi.String("SecretProviderClass"),
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(args.ClassName), Namespace: args.Namespace},
		OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Map{
			"provider": pulumi.String("aws"),
			"parameters": pulumi.StringMap{
				"objects":        list,
				"region":         pulumi.String(args.Account.Region), // else it is asked of the node, at each mount
				"usePodIdentity": pulumi.String("true"),
			},
		}},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("SecretProviderClass %s: %w", args.ClassName, err)
	}
	return &Class{Name: class.Metadata.Name().Elem(), secretARN: args.SecretARN, keyARN: args.KeyARN}, nil
}

// Rights let a role mount the classes, and read no other secret (the
// provider's README, "Usage"; Secrets Manager User Guide, "Permissions for the
// KMS key"). No classes: no rights.
func Rights(a *account.Account, classes ...*Class) []iam.Statement {
	var secrets, keys []pulumi.StringInput
	for _, c := range classes {
		secrets = append(secrets, c.secretARN)
		if c.keyARN != nil {
			keys = append(keys, c.keyARN)
		}
	}
	var rights []iam.Statement
	if len(secrets) > 0 {
		rights = append(rights, iam.Statement{
			Sid: "Read", Actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, Resources: secrets,
		})
	}
	if len(keys) > 0 {
		rights = append(rights, iam.Statement{
			Sid: "Decrypt", Actions: []string{"kms:Decrypt"}, Resources: keys,
			Conditions: []iam.Condition{iam.Equals("kms:ViaService", pulumi.String("secretsmanager."+a.Region+".amazonaws.com"))},
		})
	}
	return rights
}
