// Package addons owns the EKS add-ons that run on nodes: DNS, volumes, resource
// metrics and the mounting of secrets. Package cluster owns the add-ons that nodes
// need to join.
package addons

import (
	"errors"
	"fmt"
	"slices"

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

// StorageClass is the storage class of the data stores' volumes, with the name that
// the design document uses for Redis.
const StorageClass = storespec.StorageClass

// Args configure Addons.
type Args struct {
	// Account is the account of the cluster.
	Account *account.Account
	// Cluster is the cluster that gets the add-ons.
	Cluster *cluster.Cluster
	// KeyARN is the KMS key of the volumes of StorageClass.
	KeyARN pulumi.StringInput
	// Nodes are the tiers on which the add-ons run. Without nodes, EKS reports add-ons
	// as degraded.
	Nodes []pulumi.Resource
}

func (a *Args) validate() error {
	if a == nil || a.Account == nil || a.Cluster == nil || a.KeyARN == nil || len(a.Nodes) == 0 {
		return errors.New("addons: Account, Cluster, KeyARN and Nodes must be set")
	}
	return nil
}

// Addons are CoreDNS, the EBS CSI driver with its storage class,
// metrics-server, and the Secrets Store CSI driver with AWS's provider.
type Addons struct {
	pulumi.ResourceState

	// StorageClass is the name of the storage class. It is known when volumes can
	// be created.
	StorageClass pulumi.StringOutput
	// Ready are the add-ons and the storage class. A resource that needs them must
	// depend on Ready, and not on the Addons (see network.Network.Ready).
	Ready []pulumi.Resource
}

// NewAddons creates the add-ons and the storage class. The versions of the add-ons are
// those that eksspec has for Versions.Addons of the cluster. NewAddons needs the AWS
// provider and the cluster's Kubernetes provider (pulumi.Providers).
func NewAddons(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Addons, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	release, err := eksspec.ForVersion(args.Cluster.Versions.Addons)
	if err != nil {
		return nil, fmt.Errorf("addons %s: %w", name, err)
	}
	a := &Addons{}
	if err := ctx.RegisterComponentResource("progressive:addons:Addons", name, a, opts...); err != nil {
		return nil, fmt.Errorf("addons %s: %w", name, err)
	}
	parent := pulumi.Parent(a)
	role, err := newVolumeRole(ctx, name, args, parent)
	if err != nil {
		return nil, err
	}
	addons := map[string]*eks.Addon{}
	for _, addonName := range []string{eksspec.CoreDNS, eksspec.EBSCSIDriver, eksspec.MetricsServer, eksspec.SecretsStore} {
		spec, dependencies := args.addonArgs(addonName, release.Addons[addonName], role)
		if addons[addonName], err = eks.NewAddon(ctx, name+"-"+addonName, spec, parent, pulumi.DependsOn(dependencies)); err != nil {
			return nil, fmt.Errorf("add-on %s: %w", addonName, err)
		}
		a.Ready = append(a.Ready, addons[addonName])
	}
	class, err := newStorageClass(ctx, name, args, parent, pulumi.DependsOn([]pulumi.Resource{addons[eksspec.EBSCSIDriver]}))
	if err != nil {
		return nil, err
	}
	a.Ready = append(a.Ready, class)
	a.StorageClass = class.Metadata.Name().Elem()
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"storageClass": a.StorageClass})
}

// addonArgs returns the arguments of an add-on and the resources that it needs. volumeRole is
// the role of the EBS CSI driver.
func (a *Args) addonArgs(name, version string, volumeRole *iam.Role) (*eks.AddonArgs, []pulumi.Resource) {
	spec := &eks.AddonArgs{
		ClusterName:              a.Cluster.Name,
		AddonName:                pulumi.String(name),
		AddonVersion:             pulumi.String(version),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"), // the stack's values win over manual changes
	}
	switch name {
	case eksspec.SecretsStore:
		spec.ConfigurationValues = pulumi.String(secretsStoreConfig)
	case eksspec.EBSCSIDriver:
		spec.PodIdentityAssociations = eks.AddonPodIdentityAssociationArray{&eks.AddonPodIdentityAssociationArgs{
			RoleArn: volumeRole.ARN, ServiceAccount: pulumi.String(driverServiceAccount),
		}}
		return spec, append(slices.Clone(a.Nodes), volumeRole.Policies...)
	}
	return spec, a.Nodes
}

// secretsStoreConfig configures the add-on for secrets. With tokenRequests the driver requests a
// service account token of the pod that mounts a secret. With that token the provider gets the
// pod's role from the Pod Identity agent. The driver and the provider have no role of their own.
//
// The driver checks mounted secrets for new values every hour. Each check calls Secrets Manager
// once for each pod, and AWS bills each call. An hour is soon enough. Long-running pods mount only
// Redis' password, and ElastiCache accepts the former password until the next rotation. The
// migration mounts the master passwords, but the migration is a short task. The field names are
// those in the provider's test of the add-on (aws/secrets-store-csi-driver-provider-aws, tests).
const secretsStoreConfig = `{"secrets-store-csi-driver":{"enableSecretRotation":true,"rotationPollInterval":"1h",` +
	`"tokenRequests":[{"audience":"pods.eks.amazonaws.com"}]}}`

// driverServiceAccount is the service account of the EBS CSI driver's controller.
const driverServiceAccount = "ebs-csi-controller-sa"

// newVolumeRole creates the role of the EBS CSI driver: the AWS managed policy, and
// permission to use the key (aws-ebs-csi-driver, "Encryption"). Version 2 of the policy is
// limited to volumes and snapshots with the tag that the driver sets (AWS Managed Policy
// Reference, "AmazonEBSCSIDriverPolicyV2").
func newVolumeRole(ctx *pulumi.Context, name string, args *Args, parent pulumi.ResourceOption) (*iam.Role, error) {
	return iam.NewRole(ctx, name+"-ebs-csi", &iam.RoleArgs{
		Account:         args.Account,
		Description:     "EBS volumes of EKS cluster " + args.Cluster.ClusterName,
		Trust:           iam.Pod(args.Cluster.Name, pulumi.String(cluster.SystemNamespace), driverServiceAccount),
		ManagedPolicies: []string{"AmazonEBSCSIDriverPolicyV2"},
		Statements: []iam.Statement{
			{
				Sid:       "Encrypt",
				Actions:   key.CryptographicActions(),
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

// newStorageClass creates the storage class of encrypted gp3 volumes. A volume is created
// in the zone of its first pod. The volume stays when its claim is deleted, so that a
// deletion by mistake loses no data. A person deletes unused volumes.
func newStorageClass(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*storagev1.StorageClass, error) {
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
