package main

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/databaseexporter"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/redis"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/size"
	"github.com/progressive-framework/platform/infra/config"
)

// redisAgentImportPath is the import path of the agent that keeps a Redis node in its cluster.
const redisAgentImportPath = "github.com/progressive-framework/platform/agents/redisnode"

// deployPostgresInCluster creates a PostgreSQL server as a StatefulSet.
func deployPostgresInCluster(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes) (*store, error) {
	image, err := resolveImage(ctx, base, stack.Postgres.Image)
	if err != nil {
		return nil, err
	}
	password, err := newPassword(ctx, stack, base, "postgres")
	if err != nil {
		return nil, err
	}
	server, err := postgres.NewInCluster(ctx, stack.Name()+"-postgres", &postgres.InClusterArgs{
		Namespace:    eks.namespace,
		Image:        image,
		Tuning:       stack.PostgresServer(),
		Storage:      size.GiB(int64(stack.Postgres.StorageGiB)),
		StorageClass: stack.StorageClass,
		Clients:      storeClients(stack, stack.Migration().ShortName, databaseexporter.App),
		Password:     password,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready))
	if err != nil {
		return nil, err
	}
	return &store{
		ready: server.Ready, host: server.Host, port: pulumi.Int(server.Port), secretName: server.SecretName,
		egress: podnetwork.TCPRule(postgres.Port, podnetwork.App(postgres.StatefulSet)),
	}, nil
}

// deployRedisInCluster creates a Redis cluster as a StatefulSet, with an agent for each node.
func deployRedisInCluster(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, nodes *nodes) (*store, error) {
	image, err := resolveImage(ctx, base, stack.Redis.Image)
	if err != nil {
		return nil, err
	}
	agentImage, err := newImage(ctx, stack, base, config.RedisAgentImage, redisAgentImportPath)
	if err != nil {
		return nil, err
	}
	password, err := newPassword(ctx, stack, base, "redis")
	if err != nil {
		return nil, err
	}
	nodePassword, err := newPassword(ctx, stack, base, "redis-nodes")
	if err != nil {
		return nil, err
	}
	cache, err := redis.NewInCluster(ctx, stack.Name()+"-redis", &redis.InClusterArgs{
		Namespace:    eks.namespace,
		Image:        image,
		AgentImage:   agentImage,
		Memory:       size.MiB(int64(stack.Redis.MemoryMiB)),
		CPURequest:   scaling.Share(redis.DefaultCPURequest(), scaling.Percent(stack.Cluster.RequestPercent)),
		Storage:      size.GiB(int64(stack.Redis.StorageGiB)),
		StorageClass: stack.StorageClass,
		Clients:      storeClients(stack),
		Reader:       prometheusPeer(stack),
		Password:     password,
		NodePassword: nodePassword,
	}, eks.kubernetesProvider, pulumi.DependsOn(nodes.ready))
	if err != nil {
		return nil, err
	}
	base.workloads = append(base.workloads, cache.Ready...)
	return &store{
		ready: cache.Ready, host: cache.Host, port: pulumi.Int(cache.Port), secretName: cache.SecretName,
		egress: podnetwork.TCPRule(redis.Port, podnetwork.App(redis.StatefulSet)),
	}, nil
}

// newPassword creates a password of a store in the cluster. name is unique among the stack's
// passwords.
func newPassword(ctx *pulumi.Context, stack *config.Stack, base *base, name string) (pulumi.StringInput, error) {
	password, err := secret.NewSecret(ctx, stack.Name()+"-"+name, &secret.Args{
		KeyARN:      base.key.ARN,
		Description: "Password of " + name + " in " + stack.Name(),
		Unprotected: stack.DiscardData,
	}, base.inRegion)
	if err != nil {
		return nil, err
	}
	return password.Value, nil
}

// resolveImage returns the reference of an image by digest. For a tag in the account's own
// registry, it looks up the digest.
func resolveImage(ctx *pulumi.Context, base *base, image string) (pulumi.String, error) {
	tagged, ok := strings.CutPrefix(image, config.AccountRegistry)
	if !ok {
		return pulumi.String(image), nil
	}
	name, tag, _ := strings.Cut(tagged, ":")
	reference, err := repository.LookupImage(ctx, name, tag, base.inRegion)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", image, err)
	}
	return reference, nil
}
