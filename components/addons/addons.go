// Package addons owns the add-ons of a cluster that need nodes to run on:
// DNS, volumes, resource metrics and the mounting of secrets. Those that nodes
// need are in package cluster.
package addons

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	storagev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/storage/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/cluster"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
)

// StorageClass is the class of the data stores' volumes (the design document's
// Redis claims name it).
const StorageClass = storespec.StorageClass

// Args are what Addons are made from.
type Args struct {
	// Account is where they lie.
	Account *account.Account
	// Cluster is what they run on.
	Cluster *cluster.Cluster
	// KeyARN encrypts the volumes of StorageClass.
	KeyARN pulumi.StringInput
	// Nodes are the tiers that they run on; without nodes, EKS gives them up
	// as degraded.
	Nodes []pulumi.Resource
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.Cluster == nil || a.KeyARN == nil || len(a.Nodes) == 0 {
		return errors.New("addons: Account, Cluster, KeyARN and Nodes must be given")
	}
	return nil
}

// Addons are CoreDNS, the EBS CSI driver with its storage class,
// metrics-server, and the Secrets Store CSI driver with AWS's provider.
type Addons struct {
	pulumi.ResourceState

	// StorageClass is the name of the class, known once volumes can be made.
	StorageClass pulumi.StringOutput
}

// NewAddons makes the add-ons at the versions of the cluster's release, and
// the storage class. It needs the AWS provider and the cluster's Kubernetes
// provider (pulumi.Providers).
func NewAddons(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Addons, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	release, err := eksspec.ForVersion(args.Cluster.Version)
	if err != nil {
		return nil, fmt.Errorf("addons %s: %w", name, err)
	}
	a := &Addons{}
	if err := ctx.RegisterComponentResource("progressive:addons:Addons", name, a, opts...); err != nil {
		return nil, fmt.Errorf("addons %s: %w", name, err)
	}
	parent := pulumi.Parent(a)
	role, err := volumeRole(ctx, name, args, parent)
	if err != nil {
		return nil, err
	}
	made := map[string]*eks.Addon{}
	for _, addon := range []string{eksspec.CoreDNS, eksspec.EBSCSIDriver, eksspec.MetricsServer, eksspec.SecretsStore} {
		spec := &eks.AddonArgs{
			ClusterName:              args.Cluster.Name,
			AddonName:                pulumi.String(addon),
			AddonVersion:             pulumi.String(release.Addons[addon]),
			ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"), // the stack is the truth
		}
		after := args.Nodes
		switch addon {
		case eksspec.SecretsStore:
			spec.ConfigurationValues = pulumi.String(mounting)
		case eksspec.EBSCSIDriver:
			spec.PodIdentityAssociations = eks.AddonPodIdentityAssociationArray{&eks.AddonPodIdentityAssociationArgs{
				RoleArn: role.ARN, ServiceAccount: pulumi.String(volumeAccount),
			}}
			after = append(append([]pulumi.Resource{}, after...), role.Policies...)
		}
		if made[addon], err = eks.NewAddon(ctx, name+"-"+addon, spec, parent, pulumi.DependsOn(after)); err != nil {
			return nil, fmt.Errorf("add-on %s: %w", addon, err)
		}
	}
	class, err := storageClass(ctx, name, args, parent, pulumi.DependsOn([]pulumi.Resource{made[eksspec.EBSCSIDriver]}))
	if err != nil {
		return nil, err
	}
	a.StorageClass = class.Metadata.Name().Elem()
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"storageClass": a.StorageClass})
}

// mounting has the driver ask for the tokens of the pods that mount, by which
// the provider gets their roles from the Pod Identity agent; neither has a role
// of its own. Mounted files follow their secrets, of which RDS changes its own
// every seven days: a client that connects anew within two minutes of that is
// refused, and then let in. The names are of the provider's own test of the
// add-on (aws/secrets-store-csi-driver-provider-aws, tests).
const mounting = `{"secrets-store-csi-driver":{"enableSecretRotation":true,"rotationPollInterval":"2m",` +
	`"tokenRequests":[{"audience":"pods.eks.amazonaws.com"}]}}`

// volumeAccount is the service account of the driver's controller.
const volumeAccount = "ebs-csi-controller-sa"

// volumeRole makes the role of the EBS CSI driver: AWS's own policy, and the
// use of the key (aws-ebs-csi-driver, "Encryption").
func volumeRole(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (*iam.Role, error) {
	return iam.NewRole(ctx, name+"-ebs-csi", &iam.RoleArgs{
		Account:         args.Account,
		Description:     "EBS volumes of EKS cluster " + args.Cluster.ClusterName,
		Trust:           iam.Pod(args.Cluster.Name, pulumi.String(cluster.SystemNamespace), volumeAccount),
		ManagedPolicies: []string{"service-role/AmazonEBSCSIDriverPolicy"},
		Statements: []iam.Statement{
			{
				Sid:       "Encrypt",
				Actions:   key.Cryptography(),
				Resources: iam.ARNs(args.KeyARN),
			},
			{
				Sid:       "Attach",
				Actions:   []string{"kms:CreateGrant"},
				Resources: iam.ARNs(args.KeyARN),
				Conditions: []iam.Condition{{
					Operator: "Bool", Key: "kms:GrantIsForAWSResource", Values: []pulumi.StringInput{pulumi.String("true")},
				}},
			},
		},
	}, parent)
}

// storageClass makes the class of encrypted gp3 volumes. A volume is made in
// the zone of the pod that waits for it, and outlives its claim: a claim that
// is deleted by mistake takes no data with it, and a volume that is no longer
// wanted is deleted by hand.
func storageClass(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*storagev1.StorageClass, error) {
	class, err := storagev1.NewStorageClass(ctx, name+"-"+StorageClass, &storagev1.StorageClassArgs{
		Metadata:             &metav1.ObjectMetaArgs{Name: pulumi.String(StorageClass)},
		Provisioner:          pulumi.String("ebs.csi.aws.com"),
		VolumeBindingMode:    pulumi.String("WaitForFirstConsumer"),
		ReclaimPolicy:        pulumi.String("Retain"),
		AllowVolumeExpansion: pulumi.Bool(true),
		Parameters: pulumi.StringMap{
			"type": pulumi.String("gp3"), "encrypted": pulumi.String("true"), "kmsKeyId": args.KeyARN,
		},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("storage class %s: %w", StorageClass, err)
	}
	return class, nil
}
