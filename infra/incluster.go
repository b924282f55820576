package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/infra/config"
)

// redisNode keeps a Redis node in its cluster.
const redisNode = "github.com/progressive-framework/platform/agents/redisnode"

func (p *platform) layPostgresInCluster() error {
	image, err := p.reference(p.stack.Postgres.Image)
	if err != nil {
		return err
	}
	password, err := p.password("postgres")
	if err != nil {
		return err
	}
	server, err := postgres.NewInCluster(p.ctx, p.name+"-postgres", &postgres.InClusterArgs{
		Namespace:    p.namespace,
		Image:        image,
		Tuning:       p.stack.Server(),
		Storage:      size.GiB(int64(p.stack.Postgres.StorageGiB)),
		StorageClass: p.stack.StorageClass,
		Password:     password,
	}, p.kubernetes, pulumi.DependsOn(p.nodes))
	if err != nil {
		return err
	}
	p.stores.postgres = &store{resource: server, host: server.Host, port: pulumi.Int(server.Port), secretName: server.SecretName}
	return nil
}

func (p *platform) layRedisInCluster() error {
	image, err := p.reference(p.stack.Redis.Image)
	if err != nil {
		return err
	}
	agent, err := p.image("redisnode", redisNode)
	if err != nil {
		return err
	}
	args := &redis.InClusterArgs{
		Namespace:    p.namespace,
		Image:        image,
		AgentImage:   agent,
		Memory:       size.MiB(int64(p.stack.Redis.MemoryMiB)),
		CPURequest:   scaling.Share(resource.MustParse("200m"), scaling.Percent(p.stack.Cluster.RequestPercent)),
		Storage:      size.GiB(int64(p.stack.Redis.StorageGiB)),
		StorageClass: p.stack.StorageClass,
	}
	if args.Password, err = p.password("redis"); err != nil {
		return err
	}
	if args.NodePassword, err = p.password("redis-nodes"); err != nil {
		return err
	}
	cache, err := redis.NewInCluster(p.ctx, p.name+"-redis", args, p.kubernetes, pulumi.DependsOn(p.nodes))
	if err != nil {
		return err
	}
	p.stores.redis = &store{resource: cache, host: cache.Host, port: pulumi.Int(cache.Port), secretName: cache.SecretName}
	return nil
}

// password makes a password of a store that no service of AWS keeps.
func (p *platform) password(of string) (pulumi.StringInput, error) {
	made, err := secret.NewSecret(p.ctx, p.name+"-"+of, &secret.Args{
		KeyARN:      p.key.ARN,
		Description: "Password of " + of + " in " + p.name,
		Unprotected: !p.stack.DeletionProtection,
	}, p.aws)
	if err != nil {
		return nil, err
	}
	return made.Value, nil
}

// reference is an image by digest: as it is given, or as the account's own
// registry has it now.
func (p *platform) reference(image string) (pulumi.StringInput, error) {
	own, ok := strings.CutPrefix(image, config.AccountRegistry)
	if !ok {
		return pulumi.String(image), nil
	}
	name, tag, _ := strings.Cut(own, ":")
	found, err := repository.Lookup(p.ctx, name, tag, p.aws)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", image, err)
	}
	return found, nil
}
