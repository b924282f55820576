// Package redis owns the platform's Redis: a cluster of ElastiCache, or one of
// our own in Kubernetes, both set by the model in package redistuning.
package redis

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/secret"
)

const (
	// Port is Redis'.
	Port = 6379
)

// ClusterArgs are what a Cluster is made from. Zero values stand for what is
// safe: three shards with a replica each in other zones, encrypted, with a
// password; that it be public can't be said.
type ClusterArgs struct {
	// Account is whose cluster it is.
	Account *account.Account
	// Cluster is what is asked of ElastiCache.
	Cluster elasticachespec.Cluster
	// VPCID and SubnetIDs are where it lies: the private-data subnets.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// Clients are all who may connect.
	Clients []clients.Client
	// Generation counts the rotations of the password; see package secret.
	Generation int
	// Unprotected lets a destroy take the cluster, without a last snapshot.
	Unprotected bool
}

func (a *ClusterArgs) validate() error {
	if a == nil || a.Account == nil || a.VPCID == nil || a.SubnetIDs == nil {
		return errors.New("cluster: Account, VPCID and SubnetIDs must not be nil")
	}
	return nil
}

// Cluster is a Redis cluster of ElastiCache.
type Cluster struct {
	pulumi.ResourceState

	// Host is the configuration endpoint: clients learn the nodes from it. It
	// speaks TLS only.
	Host pulumi.StringOutput
	Port pulumi.IntOutput
	// SecretARN is the secret with the password of the user default.
	SecretARN pulumi.StringOutput
	// SecretKeyARN is the KMS key by which that secret is kept.
	SecretKeyARN pulumi.StringOutput
	// SecurityGroupID is the cluster's own group.
	SecurityGroupID pulumi.StringOutput
}

// NewCluster makes the replication group and what belongs to it alone: its
// key, password, user, security group, subnet group, parameter group and log
// groups. Another node type changes nodes and parameters in place.
func NewCluster(ctx *pulumi.Context, name string, args *ClusterArgs, opts ...pulumi.ResourceOption) (*Cluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	asked, model, err := args.Cluster.Complete()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := &Cluster{}
	if err := ctx.RegisterComponentResource("progressive:redis:Cluster", name, c, opts...); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, args: args, asked: asked, parent: pulumi.Parent(c), made: c}
	group, err := b.replicationGroup(model)
	if err != nil {
		return nil, err
	}
	c.Host, c.Port = group.ConfigurationEndpointAddress, group.Port.Elem()
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{
		"host": c.Host, "port": c.Port, "secretArn": c.SecretARN, "securityGroupId": c.SecurityGroupID,
	})
}

// builder makes a cluster's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	args   *ClusterArgs
	asked  elasticachespec.Cluster
	parent pulumi.ResourceOption
	made   *Cluster
}

func (b *builder) replicationGroup(model *redistuning.Model) (*elasticache.ReplicationGroup, error) {
	encryption, err := key.NewKey(b.ctx, b.name, &key.Args{
		Account: b.args.Account, Description: "Redis " + b.name, Users: []iam.Statement{key.Logs(b.args.Account)},
	}, b.parent)
	if err != nil {
		return nil, err
	}
	b.made.SecurityGroupID, err = clients.NewGroup(b.ctx, b.name, &clients.GroupArgs{
		VPCID: b.args.VPCID, Description: "Redis " + b.name, Port: Port, Clients: b.args.Clients,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	users, err := b.users(encryption)
	if err != nil {
		return nil, err
	}
	subnets, err := elasticache.NewSubnetGroup(b.ctx, b.name+"-subnets", &elasticache.SubnetGroupArgs{
		Name: pulumi.String(b.asked.Identifier), Description: pulumi.String("private-data subnets"), SubnetIds: b.args.SubnetIDs,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("subnet group of %s: %w", b.name, err)
	}
	parameters, err := b.parameters(model)
	if err != nil {
		return nil, err
	}
	deliveries, err := b.logs(encryption)
	if err != nil {
		return nil, err
	}
	args := &elasticache.ReplicationGroupArgs{
		ReplicationGroupId:      pulumi.String(b.asked.Identifier),
		Description:             pulumi.String("Redis of the platform"),
		Engine:                  pulumi.String("redis"),
		EngineVersion:           pulumi.String(elasticachespec.Version),
		AutoMinorVersionUpgrade: pulumi.Bool(true),
		NodeType:                pulumi.String(b.asked.NodeType),
		ParameterGroupName:      parameters.Name,
		Port:                    pulumi.Int(Port),

		NumNodeGroups:            pulumi.Int(b.asked.Shards),
		ReplicasPerNodeGroup:     pulumi.Int(b.asked.ReplicasPerShard),
		AutomaticFailoverEnabled: pulumi.Bool(true),
		MultiAzEnabled:           pulumi.Bool(true),

		SubnetGroupName:          subnets.Name,
		SecurityGroupIds:         pulumi.StringArray{b.made.SecurityGroupID},
		AtRestEncryptionEnabled:  pulumi.Bool(true),
		KmsKeyId:                 encryption.ARN,
		TransitEncryptionEnabled: pulumi.Bool(true),
		TransitEncryptionMode:    pulumi.String("required"),
		UserGroupIds:             pulumi.StringArray{users.UserGroupId},

		SnapshotRetentionLimit:    pulumi.Int(b.asked.SnapshotDays),
		SnapshotWindow:            pulumi.String("03:00-04:00"),
		MaintenanceWindow:         pulumi.String("sun:04:30-sun:05:30"),
		LogDeliveryConfigurations: deliveries,
		Tags:                      pulumi.StringMap{"Name": pulumi.String(b.name), "Tier": pulumi.String("private-data")},
	}
	if !b.args.Unprotected {
		args.FinalSnapshotIdentifier = pulumi.String(b.asked.Identifier + "-final")
	}
	group, err := elasticache.NewReplicationGroup(b.ctx, b.name+"-cluster", args, b.parent, pulumi.Protect(!b.args.Unprotected))
	if err != nil {
		return nil, fmt.Errorf("replication group %s: %w", b.asked.Identifier, err)
	}
	return group, nil
}

// users makes the one user that clients are. It has the name default, so that
// a password is all that a client needs, and the model's access rules.
func (b *builder) users(encryption *key.Key) (*elasticache.UserGroup, error) {
	password, err := secret.NewSecret(b.ctx, b.name, &secret.Args{
		KeyARN: encryption.ARN, Description: "password of Redis " + b.name,
		Generation: b.args.Generation, Unprotected: b.args.Unprotected,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	b.made.SecretARN, b.made.SecretKeyARN = password.ARN, encryption.ARN
	user, err := elasticache.NewUser(b.ctx, b.name+"-default", &elasticache.UserArgs{
		UserId:       pulumi.String(b.asked.Identifier),
		UserName:     pulumi.String("default"),
		Engine:       pulumi.String("redis"),
		AccessString: pulumi.String(redistuning.AccessRules),
		Passwords:    password.Accepted,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("user of %s: %w", b.name, err)
	}
	group, err := elasticache.NewUserGroup(b.ctx, b.name+"-users", &elasticache.UserGroupArgs{
		UserGroupId: pulumi.String(b.asked.Identifier),
		Engine:      pulumi.String("redis"),
		UserIds:     pulumi.StringArray{user.UserId},
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("user group of %s: %w", b.name, err)
	}
	return group, nil
}

func (b *builder) parameters(model *redistuning.Model) (*elasticache.ParameterGroup, error) {
	var list elasticache.ParameterGroupParameterArray
	for _, p := range model.Parameters() {
		list = append(list, &elasticache.ParameterGroupParameterArgs{Name: pulumi.String(p.Name()), Value: pulumi.String(p.Value())})
	}
	group, err := elasticache.NewParameterGroup(b.ctx, b.name+"-parameters", &elasticache.ParameterGroupArgs{
		Name:        pulumi.String(b.asked.ParameterGroup()),
		Family:      pulumi.String(elasticachespec.Family),
		Description: pulumi.String("tuned by memory"),
		Parameters:  list,
	}, b.parent)
	if err != nil {
		return nil, fmt.Errorf("parameter group of %s: %w", b.name, err)
	}
	return group, nil
}

// logs are the two that ElastiCache delivers (ElastiCache User Guide, "Log
// delivery").
func (b *builder) logs(encryption *key.Key) (elasticache.ReplicationGroupLogDeliveryConfigurationArray, error) {
	var deliveries elasticache.ReplicationGroupLogDeliveryConfigurationArray
	kinds := []string{"slow-log", "engine-log"}
	groups, err := logs.NewGroups(b.ctx, b.name, "/aws/elasticache/"+b.asked.Identifier, kinds, encryption.ARN, b.parent)
	if err != nil {
		return nil, err
	}
	for i, group := range groups {
		deliveries = append(deliveries, &elasticache.ReplicationGroupLogDeliveryConfigurationArgs{
			Destination:     group.Name,
			DestinationType: pulumi.String("cloudwatch-logs"),
			LogFormat:       pulumi.String("json"),
			LogType:         pulumi.String(kinds[i]),
		})
	}
	return deliveries, nil
}
