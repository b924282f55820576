package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/clients"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/infra/config"
)

// stores are the platform's data stores; nil: the stack has none.
type stores struct{ postgres, redis, mongo *store }

// store is how a client finds a data store and the secret that opens it.
type store struct {
	// resource is what makes it; nil: it is there without the stack.
	resource pulumi.Resource
	host     pulumi.StringInput
	port     pulumi.IntInput
	// secretARN is the secret in Secrets Manager, which class lets pods mount;
	// nil: a Kubernetes Secret of the platform's namespace named secretName.
	secretARN  pulumi.StringInput
	class      *secretfiles.Class
	secretName pulumi.StringInput
}

func (s *store) output() pulumi.Map {
	out := pulumi.Map{}
	for name, v := range map[string]pulumi.Input{"host": s.host, "port": s.port, "secretArn": s.secretARN, "secretName": s.secretName} {
		if v != nil {
			out[name] = v
		}
	}
	return out
}

// resources are the stores that the stack makes.
func (s stores) resources() (made []pulumi.Resource) {
	for _, one := range []*store{s.postgres, s.redis, s.mongo} {
		if one != nil && one.resource != nil {
			made = append(made, one.resource)
		}
	}
	return made
}

// masterPassword is the field of the secrets that RDS and DocumentDB make for
// their master user (Secrets Manager User Guide, "JSON structure of AWS Secrets
// Manager database credential secrets").
const masterPassword = "password"

func (p *platform) layStores() error {
	for _, lay := range []func() error{p.layPostgres, p.layRedis, p.layMongo} {
		if err := lay(); err != nil {
			return err
		}
	}
	return nil
}

// mountable lets pods of the platform mount the password of a store that AWS
// runs. It is a field of the secret where AWS made it, else all of it.
func (p *platform) mountable(name string, of *store, keyARN pulumi.StringInput, field string) (*store, error) {
	var err error
	of.class, err = secretfiles.NewClass(p.ctx, p.name+"-"+name, &secretfiles.Args{
		Account: p.where, ClassName: name, Namespace: p.namespace, SecretARN: of.secretARN, KeyARN: keyARN, Field: field,
	}, p.kubernetes, pulumi.DependsOn(p.nodes))
	return of, err
}

// nodesOnly are the clients of every managed store: pods have their node's
// security group.
func (p *platform) nodesOnly() []clients.Client {
	return []clients.Client{{Name: "nodes", SecurityGroupID: p.cluster.NodeSecurityGroupID}}
}

func (p *platform) layPostgres() error {
	switch p.stack.Postgres.Kind {
	case config.Managed:
		db, err := postgres.NewDatabase(p.ctx, p.name+"-postgres", &postgres.DatabaseArgs{
			Account:     p.where,
			Database:    p.stack.Database(),
			VPCID:       p.network.VPCID,
			SubnetIDs:   p.network.SubnetIDs[subnet.PrivateData],
			Clients:     p.nodesOnly(),
			SingleAZ:    p.stack.Postgres.SingleZone,
			Unprotected: !p.stack.DeletionProtection,
		}, p.aws)
		if err != nil {
			return err
		}
		p.stores.postgres, err = p.mountable("postgres", &store{resource: db, host: db.Host, port: db.Port, secretARN: db.SecretARN}, db.SecretKeyARN, masterPassword)
		return err
	case config.InCluster:
		return p.layPostgresInCluster()
	}
	return nil
}

func (p *platform) layRedis() error {
	switch p.stack.Redis.Kind {
	case config.Managed:
		cache, err := redis.NewCluster(p.ctx, p.name+"-redis", &redis.ClusterArgs{
			Account:     p.where,
			Cluster:     p.stack.Cache(),
			VPCID:       p.network.VPCID,
			SubnetIDs:   p.network.SubnetIDs[subnet.PrivateData],
			Clients:     p.nodesOnly(),
			Generation:  p.stack.Redis.PasswordGeneration,
			Unprotected: !p.stack.DeletionProtection,
		}, p.aws)
		if err != nil {
			return err
		}
		p.stores.redis, err = p.mountable("redis", &store{resource: cache, host: cache.Host, port: cache.Port, secretARN: cache.SecretARN}, cache.SecretKeyARN, "")
		return err
	case config.InCluster:
		return p.layRedisInCluster()
	}
	return nil
}

func (p *platform) layMongo() error {
	switch p.stack.Mongo.Kind {
	case config.MongoManaged:
		documents, err := mongo.NewCluster(p.ctx, p.name+"-mongo", &mongo.ClusterArgs{
			Account:     p.where,
			Cluster:     p.stack.Documents(),
			VPCID:       p.network.VPCID,
			SubnetIDs:   p.network.SubnetIDs[subnet.PrivateData],
			Clients:     p.nodesOnly(),
			Unprotected: !p.stack.DeletionProtection,
		}, p.aws)
		if err != nil {
			return err
		}
		p.stores.mongo, err = p.mountable("mongo", &store{resource: documents, host: documents.Host, port: documents.Port, secretARN: documents.SecretARN}, nil, masterPassword)
		return err
	case config.MongoURL:
		p.stores.mongo = &store{secretARN: pulumi.String(p.stack.Mongo.URLSecretARN)}
	}
	return nil
}
