// Package redis owns the platform's Redis: a cluster of ElastiCache, or a cluster of pods in the
// Kubernetes cluster. Package redistuning computes the settings of both. Package datastore has the
// parts that all stores share.
package redis

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secret"
)

// Port is the port of Redis.
const Port = elasticachespec.Port

// logKinds are the logs that ElastiCache delivers (ElastiCache User Guide, "Log
// delivery").
var logKinds = []string{"slow-log", "engine-log"}

// ClusterArgs configure a Cluster. Zero values mean safe defaults: three shards, each
// with a replica in another zone. The cluster is always private and encrypted, and
// requires a password.
type ClusterArgs struct {
	// Account is the account and region of the cluster.
	Account *account.Account
	// Cluster is the specification of the replication group.
	Cluster elasticachespec.Cluster
	// VPCID and SubnetIDs are the VPC and its private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all clients that may connect.
	Clients []clients.Client
	// SnapshotName is the snapshot from which ElastiCache creates the cluster. If it is not
	// set, the new cluster is empty. It has no effect on an existing cluster.
	SnapshotName string
	// Generation counts the rotations of the password. See package secret.
	Generation int
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

// Cluster is a Redis cluster of ElastiCache.
type Cluster struct {
	pulumi.ResourceState

	// Ready are the replication group and the versions of its password. A resource that
	// connects to the store must depend on Ready, and not on the Cluster (see
	// network.Network.Ready).
	Ready []pulumi.Resource
	// Host is the configuration endpoint, from which clients get the addresses of the nodes. The
	// endpoint accepts only connections with TLS.
	Host pulumi.StringOutput
	Port pulumi.IntOutput
	// SecretARN is the secret with the password of the user default.
	SecretARN pulumi.StringOutput
	// SecretKeyARN is the KMS key that encrypts that secret.
	SecretKeyARN pulumi.StringOutput
	// SecurityGroupID is the security group of the cluster.
	SecurityGroupID pulumi.StringOutput
}

// NewCluster creates the replication group, its password and user, and its key,
// security group, subnet group, parameter group and log groups. A change of the node type
// updates nodes and parameters in place.
func NewCluster(ctx *pulumi.Context, name string, args *ClusterArgs, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	spec, model, err := args.Cluster.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("progressive:redis:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	parent := pulumi.Parent(c)
	dependencies, err := datastore.NewDependencies(ctx, name, &datastore.Args{
		Engine: datastore.Redis, Identifier: spec.Identifier, Account: args.Account,
		VPCID: args.VPCID, SubnetIDs: args.SubnetIDs, Port: Port, Clients: args.Clients, Logs: logKinds, DiscardData: args.DiscardData,
		Parameters: datastore.ParameterGroup{
			Name: spec.ParameterGroup(), Family: elasticachespec.Family,
			Description: "tuned by memory", Parameters: parameters(model),
		},
	}, parent)
	if err != nil {
		return nil, err
	}
	var userGroup *elasticache.UserGroup
	password, err := secret.NewSecret(ctx, name, &secret.Args{
		KeyARN: dependencies.Key.ARN, Description: "password of Redis " + name,
		Generation: args.Generation, Unprotected: args.DiscardData,
		Accept: func(passwords pulumi.StringArray) ([]pulumi.Resource, error) {
			userGroup, err = newUserGroup(ctx, name, spec.Identifier, passwords, parent)
			return []pulumi.Resource{userGroup}, err
		},
	}, parent)
	if err != nil {
		return nil, err
	}
	group, err := elasticache.NewReplicationGroup(ctx, name+"-cluster", &elasticache.ReplicationGroupArgs{
		ReplicationGroupId:      pulumi.String(spec.Identifier),
		Description:             pulumi.String("Redis of the platform"),
		Engine:                  pulumi.String("redis"),
		EngineVersion:           pulumi.String(elasticachespec.Version),
		AutoMinorVersionUpgrade: pulumi.Bool(true),
		NodeType:                pulumi.String(spec.NodeType),
		ParameterGroupName:      dependencies.ParameterGroup,
		Port:                    pulumi.Int(Port),

		NumNodeGroups:            pulumi.Int(spec.Shards),
		ReplicasPerNodeGroup:     pulumi.Int(spec.ReplicasPerShard),
		AutomaticFailoverEnabled: pulumi.Bool(true),
		MultiAzEnabled:           pulumi.Bool(true),

		SubnetGroupName:          dependencies.SubnetGroup,
		SecurityGroupIds:         pulumi.StringArray{dependencies.SecurityGroupID},
		AtRestEncryptionEnabled:  pulumi.Bool(true),
		KmsKeyId:                 dependencies.Key.ARN,
		TransitEncryptionEnabled: pulumi.Bool(true),
		TransitEncryptionMode:    pulumi.String("required"),
		UserGroupIds:             pulumi.StringArray{userGroup.UserGroupId},

		SnapshotRetentionLimit:    pulumi.Int(spec.SnapshotDays),
		SnapshotWindow:            pulumi.String(datastore.BackupWindow),
		ApplyImmediately:          pulumi.Bool(args.ApplyImmediately),
		MaintenanceWindow:         pulumi.String(storespec.MaintenanceWindow(args.MaintenanceDay, storespec.RedisSlot)),
		LogDeliveryConfigurations: logDeliveries(dependencies),
		Tags:                      datastore.Tags(name),
		FinalSnapshotIdentifier:   dependencies.FinalSnapshotName(spec.Identifier, args.DiscardData),
		SnapshotName:              datastore.SnapshotName(args.SnapshotName),
	}, parent, pulumi.IgnoreChanges([]string{"snapshotName"})) // a changed snapshot would replace the cluster
	if err != nil {
		return nil, fmt.Errorf("replication group %s: %w", spec.Identifier, err)
	}
	if err := datastore.NewAlarms(ctx, name, &datastore.AlarmArgs{
		Alarms: scaling.RedisAlarms(spec.NodeType), Dimension: "CacheClusterId", Nodes: spec.Nodes(), TopicARN: args.AlarmTopicARN,
	}, parent); err != nil {
		return nil, err
	}
	c.Ready = append([]pulumi.Resource{group}, password.Ready...)
	c.Host, c.Port = group.ConfigurationEndpointAddress, group.Port.Elem()
	c.SecretARN, c.SecretKeyARN, c.SecurityGroupID = password.ARN, dependencies.Key.ARN, dependencies.SecurityGroupID
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": c.Port, "secretArn": c.SecretARN, "securityGroupId": c.SecurityGroupID,
	})
}

// newUserGroup creates a user group with one user for all clients. The user has the access rules of
// package redistuning. The user's name is "default", so that a client needs only a password.
func newUserGroup(ctx *pulumi.Context, name, identifier string, passwords pulumi.StringArray, parent pulumi.ResourceOption) (*elasticache.UserGroup, error) {
	user, err := elasticache.NewUser(ctx, name+"-default", &elasticache.UserArgs{
		UserId:       pulumi.String(identifier),
		UserName:     pulumi.String("default"),
		Engine:       pulumi.String("redis"),
		AccessString: pulumi.String(redistuning.AccessRules),
		Passwords:    passwords,
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("user of %s: %w", name, err)
	}
	group, err := elasticache.NewUserGroup(ctx, name+"-users", &elasticache.UserGroupArgs{
		UserGroupId: pulumi.String(identifier),
		Engine:      pulumi.String("redis"),
		UserIds:     pulumi.StringArray{user.UserId},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("user group of %s: %w", name, err)
	}
	return group, nil
}

// parameters returns the parameters of the model for an ElastiCache parameter group.
func parameters(model *redistuning.Model) []datastore.Parameter {
	var list []datastore.Parameter
	for _, p := range model.Parameters() {
		list = append(list, datastore.Parameter{Name: p.Name(), Value: p.Value()})
	}
	return list
}

// logDeliveries returns the delivery of each kind of log to its log group.
func logDeliveries(dependencies *datastore.Dependencies) elasticache.ReplicationGroupLogDeliveryConfigurationArray {
	var deliveries elasticache.ReplicationGroupLogDeliveryConfigurationArray
	for i, group := range dependencies.LogGroups {
		deliveries = append(deliveries, &elasticache.ReplicationGroupLogDeliveryConfigurationArgs{
			Destination:     group.Name,
			DestinationType: pulumi.String("cloudwatch-logs"),
			LogFormat:       pulumi.String("json"),
			LogType:         pulumi.String(logKinds[i]),
		})
	}
	return deliveries
}
