// Package mongo owns the platform's document store: a DocumentDB cluster. Its
// collections and indexes are the migrations' (agents/migrate).
package mongo

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/docdb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
)

const (
	// Port is DocumentDB's.
	Port = 27017
	// DatabaseName is the document's (section "MongoDB Performance Tuning").
	DatabaseName = "progressive_framework_v5"
	// Owner is the master user.
	Owner = "platform"
)

// exports are what DocumentDB can export (Developer Guide, "Auditing" and
// "Profiling").
var exports = []string{"audit", "profiler"}

// ClusterArgs are what a Cluster is made from. Zero values stand for what is
// safe: three instances, protected, private.
type ClusterArgs struct {
	// Account is whose cluster it is.
	Account *account.Account
	// Cluster is what is asked of DocumentDB.
	Cluster docdbspec.Cluster
	// VPCID and SubnetIDs are where it lies: the private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all who may connect.
	Clients []clients.Client
	// Unprotected lets a destroy take the cluster, without a last snapshot.
	Unprotected bool
}

func (a *ClusterArgs) validate() error {
	if a == nil || a.Account == nil || a.VPCID == nil || a.SubnetIDs == nil {
		return errors.New("cluster: Account, VPCID and SubnetIDs must not be nil")
	}
	return nil
}

// Cluster is a DocumentDB cluster.
type Cluster struct {
	pulumi.ResourceState

	// Host is the writer's, ReaderHost that of all readers. Both speak TLS only.
	Host, ReaderHost pulumi.StringOutput
	Port             pulumi.IntOutput
	// SecretARN is the secret of the master user, which AWS made and rotates. It
	// is kept by AWS's own key for Secrets Manager: the provider names no other.
	SecretARN pulumi.StringOutput
	// SecurityGroupID is the cluster's own group.
	SecurityGroupID pulumi.StringOutput
}

// NewCluster makes the cluster, its instances and what belongs to it alone:
// its key, security group, subnet group, parameter group and log groups.
func NewCluster(ctx *pulumi.Context, name string, args *ClusterArgs, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	asked, err := args.Cluster.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("progressive:mongo:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, asked: asked, parent: pulumi.Parent(c)}
	made, err := b.cluster()
	if err != nil {
		return nil, err
	}
	if err := b.instances(made); err != nil {
		return nil, err
	}
	c.Host, c.ReaderHost, c.Port = made.Endpoint, made.ReaderEndpoint, made.Port.Elem()
	c.SecretARN = made.MasterUserSecrets.ApplyT(func(secrets []docdb.ClusterMasterUserSecret) (string, error) {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return "", fmt.Errorf("DocumentDB has made no secret for the master user of %s: run pulumi refresh", asked.Identifier)
		}
		return *secrets[0].SecretArn, nil
	}).(pulumi.StringOutput)
	c.SecurityGroupID = b.group
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "readerHost": c.ReaderHost, "port": c.Port, "secretArn": c.SecretARN, "securityGroupId": c.SecurityGroupID,
	})
}

// builder makes a cluster's children, all named and parented alike.
type builder struct {
	ctx        *pulumi.Context
	name       string
	args       *ClusterArgs
	asked      docdbspec.Cluster
	parent     pulumi.ResourceOption
	group      pulumi.StringOutput
	encryption *key.Key
}

func (b *builder) cluster() (*docdb.Cluster, error) {
	var err error
	b.encryption, err = key.NewKey(b.ctx, b.name, &key.Args{
		Account: b.args.Account, Description: "DocumentDB " + b.name, Users: []iam.Statement{key.Logs(b.args.Account)},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	b.group, err = clients.NewGroup(b.ctx, b.name, &clients.GroupArgs{
		VPCID: b.args.VPCID, Description: "DocumentDB " + b.name, Port: Port, Clients: b.args.Clients,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	subnets, err := docdb.NewSubnetGroup(b.ctx, b.name+"-subnets", &docdb.SubnetGroupArgs{
		Name: pulumi.String(b.asked.Identifier), Description: pulumi.String("private-data subnets"), SubnetIds: b.args.SubnetIDs,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("subnet group of %s: %w", b.name, err)
	}
	parameters, err := b.parameters()
	if err != nil {
		return nil, err
	}
	needs, err := b.logGroups()
	if err != nil {
		return nil, err
	}
	args := &docdb.ClusterArgs{
		ClusterIdentifier:           pulumi.String(b.asked.Identifier),
		Engine:                      pulumi.String("docdb"),
		EngineVersion:               pulumi.String(docdbspec.Version),
		DbClusterParameterGroupName: parameters.Name,
		MasterUsername:              pulumi.String(Owner),
		ManageMasterUserPassword:    pulumi.Bool(true),
		StorageEncrypted:            pulumi.Bool(true),
		KmsKeyId:                    b.encryption.ARN,

		DbSubnetGroupName:   subnets.Name,
		VpcSecurityGroupIds: pulumi.StringArray{b.group},
		Port:                pulumi.Int(Port),

		BackupRetentionPeriod:        pulumi.Int(b.asked.BackupDays),
		PreferredBackupWindow:        pulumi.String("03:00-04:00"),
		PreferredMaintenanceWindow:   pulumi.String("sun:04:30-sun:05:30"),
		DeletionProtection:           pulumi.Bool(!b.args.Unprotected),
		SkipFinalSnapshot:            pulumi.Bool(b.args.Unprotected),
		EnabledCloudwatchLogsExports: pulumi.ToStringArray(exports),
		Tags:                         pulumi.StringMap{"Name": pulumi.String(b.name), "Tier": pulumi.String("private-data")},
	}
	if !b.args.Unprotected {
		args.FinalSnapshotIdentifier = pulumi.String(b.asked.Identifier + "-final")
	}
	made, err := docdb.NewCluster(b.ctx, b.name+"-cluster", args, b.parent, pulumi.DependsOn(needs), pulumi.Protect(!b.args.Unprotected))
	if err != nil {
		return nil, fmt.Errorf("DocumentDB cluster %s: %w", b.asked.Identifier, err)
	}
	return made, nil
}

func (b *builder) parameters() (*docdb.ClusterParameterGroup, error) {
	var list docdb.ClusterParameterGroupParameterArray
	for _, p := range docdbspec.Parameters() {
		apply := "immediate"
		if p.Static {
			apply = "pending-reboot"
		}
		list = append(list, &docdb.ClusterParameterGroupParameterArgs{
			Name: pulumi.String(p.Name), Value: pulumi.String(p.Value), ApplyMethod: pulumi.String(apply),
		})
	}
	group, err := docdb.NewClusterParameterGroup(b.ctx, b.name+"-parameters", &docdb.ClusterParameterGroupArgs{
		Name:        pulumi.String(b.asked.ParameterGroup()),
		Family:      pulumi.String(docdbspec.Family),
		Description: pulumi.String("TLS, audit and slow operations"),
		Parameters:  list,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("parameter group of %s: %w", b.name, err)
	}
	return group, nil
}

// logGroups come before what writes to them, which else would make its own.
func (b *builder) logGroups() ([]pulumi.Resource, error) {
	groups, err := logs.NewGroups(b.ctx, b.name, "/aws/docdb/"+b.asked.Identifier, exports, b.encryption.ARN, b.parent)
	made := make([]pulumi.Resource, len(groups))
	for i, group := range groups {
		made[i] = group
	}
	return made, err
}

// instances are spread over the subnet group's zones by DocumentDB.
func (b *builder) instances(cluster *docdb.Cluster) error {
	for i := range b.asked.Instances {
		if _, err := docdb.NewClusterInstance(b.ctx, fmt.Sprintf("%s-instance-%d", b.name, i), &docdb.ClusterInstanceArgs{
			Identifier:                  pulumi.Sprintf("%s-%d", b.asked.Identifier, i),
			ClusterIdentifier:           cluster.ID(),
			InstanceClass:               pulumi.String(b.asked.InstanceClass),
			AutoMinorVersionUpgrade:     pulumi.Bool(true),
			CopyTagsToSnapshot:          pulumi.Bool(true),
			EnablePerformanceInsights:   pulumi.Bool(true),
			PerformanceInsightsKmsKeyId: b.encryption.ARN,
		}, b.parent, pulumi.Protect(!b.args.Unprotected)); err != nil {
			return fmt.Errorf("instance %d of DocumentDB cluster %s: %w", i, b.asked.Identifier, err)
		}
	}
	return nil
}
