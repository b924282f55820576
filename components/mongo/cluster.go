// Package mongo owns the platform's document store: a DocumentDB cluster. Package datastore has
// what all stores share. The task migrate (agents/migrate) owns the collections and indexes of
// the database.
package mongo

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/docdb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// Port is the port of DocumentDB.
	Port = docdbspec.Port
	// DatabaseName is the name of the database.
	DatabaseName = storespec.DatabaseName
	// Owner is the name of the master user.
	Owner = storespec.Owner
	// engine is DocumentDB's name in its API.
	engine = "docdb"
)

// logExports are the logs that DocumentDB can export (Developer Guide, "Auditing" and
// "Profiling").
var logExports = []string{"audit", "profiler"}

// ClusterArgs configure a Cluster. Zero values mean safe defaults: three instances,
// protection, and a private cluster.
type ClusterArgs struct {
	// Account is the account and region of the cluster.
	Account *account.Account
	// Cluster is the specification of the cluster.
	Cluster docdbspec.Cluster
	// VPCID and SubnetIDs are the VPC and its private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all clients that may connect.
	Clients []clients.Client
	// SnapshotIdentifier is the snapshot from which DocumentDB creates the cluster. If it
	// is not set, the new cluster is empty. It has no effect on an existing cluster. The
	// snapshot's master user must be Owner.
	SnapshotIdentifier string
	// Copy is the region of daily copies of the cluster. nil means no copies.
	Copy *datastore.CopyRegion
	// Unprotected allows a destroy to delete the cluster.
	Unprotected bool
	// DiscardData means that a deletion of the cluster destroys its data: AWS creates no
	// final snapshot, and the key is deleted.
	DiscardData bool
	// MaintenanceDay is the weekday of AWS's maintenance. Zero means Sunday.
	MaintenanceDay storespec.Weekday
	// ApplyImmediately lets changes that interrupt the store take effect immediately. Otherwise
	// they wait for the maintenance window.
	ApplyImmediately bool
	// AlarmTopicARN is the SNS topic of the store's alarms. Empty means that the alarms notify
	// nobody.
	AlarmTopicARN string
}

func (a *ClusterArgs) validate() error {
	if a == nil {
		a = &ClusterArgs{} // CheckPlacement returns the error
	}
	if err := datastore.CheckPlacement(a.Account, a.VPCID, a.SubnetIDs); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

// Cluster is a DocumentDB cluster.
type Cluster struct {
	pulumi.ResourceState

	// Ready are the instances. A resource that connects to the store must depend on
	// Ready, and not on the Cluster (see network.Network.Ready).
	Ready []pulumi.Resource
	// Host is the host name of the writer. ReaderHost is the host name of all readers. Both
	// accept only connections with TLS.
	Host, ReaderHost pulumi.StringOutput
	Port             pulumi.IntOutput
	// SecretARN is the secret of the master user, which AWS creates and rotates. AWS's
	// managed key encrypts it, because the provider has no property for another key.
	SecretARN pulumi.StringOutput
	// SecurityGroupID is the security group of the cluster.
	SecurityGroupID pulumi.StringOutput
}

// NewCluster creates the cluster, its instances, and its key, security group,
// subnet group, parameter group and log groups.
func NewCluster(ctx *pulumi.Context, name string, args *ClusterArgs, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	spec, err := args.Cluster.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("progressive:mongo:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	parent := pulumi.Parent(c)
	if err := checkSnapshot(ctx, args.SnapshotIdentifier, spec, parent); err != nil {
		return nil, err
	}
	dependencies, err := datastore.NewDependencies(ctx, name, &datastore.Args{
		Engine: datastore.DocumentDB, Identifier: spec.Identifier, Account: args.Account,
		VPCID: args.VPCID, SubnetIDs: args.SubnetIDs, Port: Port, Clients: args.Clients, Logs: logExports, DiscardData: args.DiscardData,
		Parameters: datastore.ParameterGroup{
			Name: spec.ParameterGroup(), Family: docdbspec.Family,
			Description: "TLS, audit and slow operations", Parameters: parameters(),
		},
	}, parent)
	if err != nil {
		return nil, err
	}
	cluster, err := docdb.NewCluster(ctx, name+"-cluster", &docdb.ClusterArgs{
		ClusterIdentifier:           pulumi.String(spec.Identifier),
		Engine:                      pulumi.String(engine),
		EngineVersion:               pulumi.String(docdbspec.Version),
		AllowMajorVersionUpgrade:    pulumi.Bool(true), // a change of docdbspec.Version is the decision for an upgrade
		DbClusterParameterGroupName: dependencies.ParameterGroup,
		MasterUsername:              pulumi.String(Owner),
		ManageMasterUserPassword:    pulumi.Bool(true),
		StorageEncrypted:            pulumi.Bool(true),
		KmsKeyId:                    dependencies.Key.ARN,

		DbSubnetGroupName:   dependencies.SubnetGroup,
		VpcSecurityGroupIds: pulumi.StringArray{dependencies.SecurityGroupID},
		Port:                pulumi.Int(Port),

		BackupRetentionPeriod:        pulumi.Int(spec.BackupDays),
		PreferredBackupWindow:        pulumi.String(datastore.BackupWindow),
		ApplyImmediately:             pulumi.Bool(args.ApplyImmediately),
		PreferredMaintenanceWindow:   pulumi.String(storespec.MaintenanceWindow(args.MaintenanceDay, storespec.DocumentDBSlot)),
		DeletionProtection:           pulumi.Bool(!args.Unprotected),
		SkipFinalSnapshot:            pulumi.Bool(args.DiscardData),
		FinalSnapshotIdentifier:      dependencies.FinalSnapshotName(spec.Identifier, args.DiscardData),
		EnabledCloudwatchLogsExports: pulumi.ToStringArray(logExports),
		Tags:                         datastore.Tags(name),
		SnapshotIdentifier:           datastore.SnapshotName(args.SnapshotIdentifier),
	}, parent, dependencies.AfterLogGroups(), pulumi.IgnoreChanges([]string{"snapshotIdentifier"})) // a changed snapshot would replace the cluster
	if err != nil {
		return nil, fmt.Errorf("DocumentDB cluster %s: %w", spec.Identifier, err)
	}
	if args.Copy != nil {
		if err := newBackupCopy(ctx, name, args, spec, cluster, dependencies.Key, parent); err != nil {
			return nil, err
		}
	}
	var instanceNames []string
	for i := range spec.Instances {
		instanceNames = append(instanceNames, fmt.Sprintf("%s-%d", spec.Identifier, i))
	}
	if err := datastore.NewAlarms(ctx, name, &datastore.AlarmArgs{
		Alarms: scaling.DocumentDBAlarms(spec.InstanceClass), Dimension: "DBInstanceIdentifier", Nodes: instanceNames, TopicARN: args.AlarmTopicARN,
	}, parent); err != nil {
		return nil, err
	}
	// DocumentDB spreads the instances over the zones of the subnet group.
	for i := range spec.Instances {
		instance, err := docdb.NewClusterInstance(ctx, fmt.Sprintf("%s-instance-%d", name, i), &docdb.ClusterInstanceArgs{
			Identifier:                  pulumi.Sprintf("%s-%d", spec.Identifier, i),
			ClusterIdentifier:           cluster.ID(),
			InstanceClass:               pulumi.String(spec.InstanceClass),
			AutoMinorVersionUpgrade:     pulumi.Bool(true),
			CopyTagsToSnapshot:          pulumi.Bool(true),
			ApplyImmediately:            pulumi.Bool(args.ApplyImmediately),
			EnablePerformanceInsights:   pulumi.Bool(true),
			PerformanceInsightsKmsKeyId: dependencies.Key.ARN,
		}, parent)
		if err != nil {
			return nil, fmt.Errorf("instance %d of DocumentDB cluster %s: %w", i, spec.Identifier, err)
		}
		c.Ready = append(c.Ready, instance)
	}
	c.Host, c.ReaderHost, c.Port = cluster.Endpoint, cluster.ReaderEndpoint, cluster.Port.Elem()
	c.SecretARN = cluster.MasterUserSecrets.ApplyT(func(secrets []docdb.ClusterMasterUserSecret) (string, error) {
		if len(secrets) == 0 || secrets[0].SecretArn == nil {
			return "", fmt.Errorf("DocumentDB has created no secret for the master user of %s: run pulumi refresh", spec.Identifier)
		}
		return *secrets[0].SecretArn, nil
	}).(pulumi.StringOutput)
	c.SecurityGroupID = dependencies.SecurityGroupID
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "readerHost": c.ReaderHost, "port": c.Port, "secretArn": c.SecretARN, "securityGroupId": c.SecurityGroupID,
	})
}

// checkSnapshot checks the snapshot of a cluster that does not exist yet. For an existing
// cluster it checks nothing, because the snapshot may be deleted. The functions of RDS also find
// the clusters and snapshots of DocumentDB (RDS API, DescribeDBClusters).
func checkSnapshot(ctx *pulumi.Context, name string, spec docdbspec.Cluster, parent pulumi.InvokeOption) error {
	if name == "" {
		return nil
	}
	existing, err := rds.GetClusters(ctx, &rds.GetClustersArgs{
		Filters: []rds.GetClustersFilter{{Name: "db-cluster-id", Values: []string{spec.Identifier}}},
	}, parent)
	if err != nil {
		return fmt.Errorf("list the DocumentDB clusters with the identifier %s: %w", spec.Identifier, err)
	}
	if len(existing.ClusterIdentifiers) > 0 {
		return nil
	}
	clusterSnapshot, err := rds.LookupClusterSnapshot(ctx, &rds.LookupClusterSnapshotArgs{DbClusterSnapshotIdentifier: &name}, parent)
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", name, err)
	}
	snapshot := storespec.Snapshot{Name: name, Engine: clusterSnapshot.Engine, Version: clusterSnapshot.EngineVersion, Encrypted: clusterSnapshot.StorageEncrypted}
	return snapshot.Check(storespec.Store{Engine: engine, Version: docdbspec.Version})
}

// parameters returns the parameters of docdbspec with their apply methods.
func parameters() []datastore.Parameter {
	var parameters []datastore.Parameter
	for _, p := range docdbspec.Parameters() {
		parameters = append(parameters, datastore.Parameter{Name: p.Name, Value: p.Value, ApplyMethod: storespec.ApplyMethod(p.Value, p.Default, p.Static)})
	}
	return parameters
}
