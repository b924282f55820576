package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/infra/config"
)

// stores are the platform's data stores. A store that the stack does not have is nil.
type stores struct{ postgres, redis, mongo *store }

// store is how a client connects to a data store, and the secret with its
// password.
type store struct {
	// ready are the resources that clients wait for.
	ready []pulumi.Resource
	host  pulumi.StringInput
	port  pulumi.IntInput
	// secretARN is the secret in Secrets Manager with the password, and class lets pods mount it.
	// If both are nil, the Kubernetes Secret secretName in the platform's namespace has the
	// password.
	secretARN  pulumi.StringInput
	class      *secretfiles.Class
	secretName pulumi.StringInput
	// uri is the address of a document store that the stack does not create. It is nil
	// for a store that the stack creates.
	uri pulumi.StringInput
	// egress is the network policy rule that lets pods connect to the store.
	egress podnetwork.Rule
	// resourceID is the id of a database that accepts IAM tokens. It is nil for a store that
	// accepts passwords.
	resourceID pulumi.StringInput
}

// output returns the values of a store that the stack exports. It returns nil if the stack does not
// have the store.
func (s *store) output() pulumi.Map {
	if s == nil {
		return nil
	}
	values := pulumi.Map{}
	for name, value := range map[string]pulumi.Input{"host": s.host, "port": s.port, "secretArn": s.secretARN, "secretName": s.secretName} {
		if value != nil {
			values[name] = value
		}
	}
	return values
}

// ready returns the resources that clients of the stores wait for.
func (s *stores) ready() []pulumi.Resource {
	var resources []pulumi.Resource
	for _, dataStore := range []*store{s.postgres, s.redis, s.mongo} {
		if dataStore != nil {
			resources = append(resources, dataStore.ready...)
		}
	}
	return resources
}

// masterPasswordField is the name of the password's field in the secrets that RDS and DocumentDB
// create for their master user. Source: Secrets Manager User Guide, "JSON structure of AWS Secrets
// Manager database credential secrets". wholeSecret means that the whole secret is the password.
const masterPasswordField, wholeSecret = "password", ""

// deployStores deploys PostgreSQL, Redis and the document store. A store that the configuration
// leaves out stays nil.
func deployStores(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, nodes *nodes) (*stores, error) {
	postgres, err := deployPostgres(ctx, stack, base, vpc, eks, nodes)
	if err != nil {
		return nil, err
	}
	redis, err := deployRedis(ctx, stack, base, vpc, eks, nodes)
	if err != nil {
		return nil, err
	}
	mongo, err := deployMongo(ctx, stack, base, vpc, eks, nodes)
	return &stores{postgres: postgres, redis: redis, mongo: mongo}, err
}

// newSecretClass creates the SecretProviderClass with which pods mount the password of a managed
// store. field is masterPasswordField for a secret that AWS created, otherwise wholeSecret.
func newSecretClass(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes, name string, secretARN, keyARN pulumi.StringInput, field string) (*secretfiles.Class, error) {
	return secretfiles.NewClass(ctx, stack.Name()+"-"+name, &secretfiles.Args{
		Account: base.account, ClassName: name, Namespace: eks.namespace, SecretARN: secretARN, KeyARN: keyARN, Field: field,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready))
}

// nodeClients returns the clients of every managed store: the nodes, because a pod has the security
// group of its node.
func nodeClients(eks *eksCluster) []clients.Client {
	return []clients.Client{{Name: "nodes", SecurityGroupID: eks.NodeSecurityGroupID}}
}

// deployPostgres creates PostgreSQL on RDS or in the cluster. It returns nil if the stack has no
// PostgreSQL.
func deployPostgres(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, nodes *nodes) (*store, error) {
	switch stack.Postgres.Kind {
	case config.Managed:
		copyRegion, err := newCopyRegion(ctx, stack, base, "aws-backups", stack.Postgres.BackupRegion)
		if err != nil {
			return nil, err
		}
		database, err := postgres.NewDatabase(ctx, stack.Name()+"-postgres", &postgres.DatabaseArgs{
			Account:     base.account,
			Database:    stack.Database(),
			VPCID:       vpc.VPCID,
			SubnetIDs:   vpc.SubnetIDs[subnet.PrivateData],
			Clients:     nodeClients(eks),
			SingleAZ:    stack.Postgres.SingleZone,
			Unprotected: !stack.DeletionProtection,
			DiscardData: stack.DiscardData,

			MaintenanceDay:   stack.MaintenanceDay,
			ApplyImmediately: stack.ApplyImmediately,
			AlarmTopicARN:    stack.Edge.AlarmTopicARN,

			SnapshotIdentifier: stack.Postgres.SnapshotIdentifier,
			Copy:               copyRegion,
		}, base.inRegion)
		if err != nil {
			return nil, err
		}
		class, err := newSecretClass(ctx, stack, base, eks, nodes, "postgres", database.SecretARN, database.SecretKeyARN, masterPasswordField)
		return &store{
			ready: database.Ready, host: database.Host, port: database.Port, secretARN: database.SecretARN, class: class,
			egress:     podnetwork.TCPRule(postgres.Port, podnetwork.BlockPeers(vpc.Blocks[subnet.PrivateData]...)...),
			resourceID: database.ResourceID,
		}, err
	case config.InCluster:
		return deployPostgresInCluster(ctx, stack, base, eks, nodes)
	}
	return nil, nil
}

// newCopyRegion returns the region to which a store's backups are copied, with an AWS provider for
// this region. It returns nil if region is empty: then the stack has no copies. provider is the name
// of the provider. Each store has its own one, so that a change of one store's region leaves the
// copies of the other store alone.
func newCopyRegion(ctx *pulumi.Context, stack *config.Stack, base *base, provider, region string) (*datastore.CopyRegion, error) {
	if region == "" {
		return nil, nil
	}
	inRegion, err := newProvider(ctx, stack, provider, region)
	if err != nil {
		return nil, err
	}
	copyAccount := *base.account
	copyAccount.Region = region
	return &datastore.CopyRegion{Account: &copyAccount, InRegion: pulumi.Provider(inRegion)}, nil
}

// deployRedis creates Redis on ElastiCache or in the cluster. It returns nil if the stack has no
// Redis.
func deployRedis(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, nodes *nodes) (*store, error) {
	switch stack.Redis.Kind {
	case config.Managed:
		cache, err := redis.NewCluster(ctx, stack.Name()+"-redis", &redis.ClusterArgs{
			Account:     base.account,
			Cluster:     stack.Cache(),
			VPCID:       vpc.VPCID,
			SubnetIDs:   vpc.SubnetIDs[subnet.PrivateData],
			Clients:     nodeClients(eks),
			Generation:  stack.Redis.PasswordGeneration,
			Unprotected: !stack.DeletionProtection,
			DiscardData: stack.DiscardData,

			MaintenanceDay:   stack.MaintenanceDay,
			ApplyImmediately: stack.ApplyImmediately,
			AlarmTopicARN:    stack.Edge.AlarmTopicARN,

			SnapshotName: stack.Redis.SnapshotName,
		}, base.inRegion)
		if err != nil {
			return nil, err
		}
		class, err := newSecretClass(ctx, stack, base, eks, nodes, "redis", cache.SecretARN, cache.SecretKeyARN, wholeSecret)
		return &store{
			ready: cache.Ready, host: cache.Host, port: cache.Port, secretARN: cache.SecretARN, class: class,
			egress: podnetwork.TCPRule(redis.Port, podnetwork.BlockPeers(vpc.Blocks[subnet.PrivateData]...)...),
		}, err
	case config.InCluster:
		return deployRedisInCluster(ctx, stack, base, eks, nodes)
	}
	return nil, nil
}

// deployMongo creates DocumentDB, or connects a MongoDB by its URL. It returns nil if the stack has
// no document store.
func deployMongo(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, nodes *nodes) (*store, error) {
	switch stack.Mongo.Kind {
	case config.MongoURL:
		return deployMongoByURL(ctx, stack, base, eks, nodes)
	case config.MongoManaged:
		copyRegion, err := newCopyRegion(ctx, stack, base, "aws-mongo-backups", stack.Mongo.BackupRegion)
		if err != nil {
			return nil, err
		}
		documents, err := mongo.NewCluster(ctx, stack.Name()+"-mongo", &mongo.ClusterArgs{
			Account:     base.account,
			Cluster:     stack.DocumentDB(),
			VPCID:       vpc.VPCID,
			SubnetIDs:   vpc.SubnetIDs[subnet.PrivateData],
			Clients:     nodeClients(eks),
			Unprotected: !stack.DeletionProtection,
			DiscardData: stack.DiscardData,

			MaintenanceDay:   stack.MaintenanceDay,
			ApplyImmediately: stack.ApplyImmediately,
			AlarmTopicARN:    stack.Edge.AlarmTopicARN,

			SnapshotIdentifier: stack.Mongo.SnapshotIdentifier,
			Copy:               copyRegion,
		}, base.inRegion)
		if err != nil {
			return nil, err
		}
		class, err := newSecretClass(ctx, stack, base, eks, nodes, "mongo", documents.SecretARN, nil, masterPasswordField)
		return &store{
			ready: documents.Ready, host: documents.Host, port: documents.Port, secretARN: documents.SecretARN, class: class,
			egress: podnetwork.TCPRule(mongo.Port, podnetwork.BlockPeers(vpc.Blocks[subnet.PrivateData]...)...),
		}, err
	}
	return nil, nil
}

// deployMongoByURL returns the connection to a MongoDB that the stack does not create, and lets
// pods mount its password.
func deployMongoByURL(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes) (*store, error) {
	server, err := stack.ParseMongoURL()
	if err != nil {
		return nil, err
	}
	secretARN := pulumi.String(stack.Mongo.PasswordSecretARN).ToStringOutput()
	var keyARN pulumi.StringInput
	if arn := stack.Mongo.PasswordKeyARN; arn != "" {
		keyARN = pulumi.String(arn)
	}
	class, err := newSecretClass(ctx, stack, base, eks, nodes, "mongo", secretARN, keyARN, wholeSecret)
	return &store{
		host: pulumi.String(server.Host), port: pulumi.Int(server.Port), uri: pulumi.String(server.URI), secretARN: secretARN, class: class,
		egress: podnetwork.TCPRule(server.Port, podnetwork.BlockPeers(stack.Mongo.CIDRs...)...),
	}, err
}
