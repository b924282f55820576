package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// environment is what the pods of a service get from the stack: where the stores
// are and whose tokens are accepted. Passwords come as files.
type environment struct {
	variables pulumi.StringMap
	files     []service.SecretFiles
	// role lets pods read those of the files that come from Secrets Manager, and
	// nothing else; nil: there are none.
	role *service.Role
	// caFile has the certificate authorities of the managed stores; empty: their
	// certificates can't be verified.
	caFile string
}

// secretsFolder has a folder for each Secret that is mounted.
const secretsFolder = "/etc/platform/"

// newEnvironment is what every service gets.
func newEnvironment(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, stores *stores) (*environment, error) {
	env := &environment{variables: pulumi.StringMap{
		"JWT_ISSUER":   pulumi.String(stack.Auth.Issuer),
		"JWT_AUDIENCE": pulumi.String(stack.Auth.Audience),
	}}
	if err := env.addKeySet(ctx, stack, eks); err != nil {
		return nil, err
	}
	if err := env.addCAFile(ctx, stack, eks); err != nil {
		return nil, err
	}
	if db := stores.postgres; db != nil {
		env.variables["DATABASE_URL"] = pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=%s", postgres.Owner, db.host, db.port, postgres.DatabaseName, env.sslMode(db))
		pool, err := stack.Pool()
		if err != nil {
			return nil, fmt.Errorf("postgres.connections: %w", err)
		}
		env.variables["DATABASE_MAX_CONNECTIONS"] = pulumi.String(strconv.Itoa(pool))
		env.addPassword("postgres", "DATABASE_PASSWORD_FILE", db)
	}
	if cache := stores.redis; cache != nil {
		env.variables["REDIS_ADDRESSES"] = pulumi.Sprintf("%s:%d", cache.host, cache.port)
		if cache.secretARN != nil {
			env.variables["REDIS_TLS"] = pulumi.String("on")
		}
		env.addPassword("redis", "REDIS_PASSWORD_FILE", cache)
	}
	env.role = readerRole(base, eks, env.files)
	return env, nil
}

// forService adds what one service needs: how many proxies in front of it set
// the client's address, and the address of its page.
func (e *environment) forService(stack *config.Stack, profile scaling.Profile) *environment {
	own := *e
	own.variables = maps.Clone(e.variables)
	switch {
	case profile.NodePort == 0:
		// Only the platform's own services call it; each of their pods is one client.
		own.variables["CLIENT_RATE"] = pulumi.String("0")
	case stack.Edge.Domain != "":
		own.variables["TRUSTED_PROXIES"] = pulumi.String("2") // CloudFront and the load balancer
	case profile.Short != frontService:
		own.variables["TRUSTED_PROXIES"] = pulumi.String("1") // the front service
	}
	if domain := stack.Edge.Domain; domain != "" && profile.Short == frontService {
		own.variables["PUBLIC_ORIGIN"] = pulumi.String("https://" + domain)
	}
	return &own
}

// withDocuments adds the document store, for the migration. Its driver verifies
// the server, so that nothing is added without a caFile.
func (e *environment) withDocuments(base *base, eks *eksCluster, documents *store) *environment {
	if documents == nil || documents.host == nil || e.caFile == "" {
		return e
	}
	own := *e
	own.variables, own.files = maps.Clone(e.variables), slices.Clone(e.files)
	own.addPassword("mongo", "MONGODB_PASSWORD_FILE", documents)
	// DocumentDB Developer Guide, "Connecting programmatically".
	own.variables["MONGODB_URI"] = pulumi.Sprintf("mongodb://%s@%s:%d/?tls=true&tlsCAFile=%s&replicaSet=rs0&retryWrites=false",
		mongo.Owner, documents.host, documents.port, e.caFile)
	own.variables["MONGODB_DATABASE"] = pulumi.String(mongo.DatabaseName)
	own.role = readerRole(base, eks, own.files)
	return &own
}

// addPassword mounts the password of a store, whatever keeps it, in one place.
func (e *environment) addPassword(name, variable string, s *store) {
	e.files = append(e.files, service.SecretFiles{Name: name, SecretName: s.secretName, Class: s.class, MountPath: secretsFolder + name})
	e.variables[variable] = pulumi.String(secretsFolder + name + "/" + secretfiles.FileName)
}

// sslMode is PostgreSQL's. A managed server is verified by the caFile. One in the
// cluster has no certificate: its network policy lets only the platform's pods
// connect, over the cluster's own network.
func (e *environment) sslMode(s *store) string {
	switch {
	case s.secretARN == nil:
		return "disable"
	case e.caFile == "":
		return "require"
	default:
		return "verify-full&sslrootcert=" + e.caFile
	}
}

// readerRole is the role of pods that mount the files.
func readerRole(base *base, eks *eksCluster, files []service.SecretFiles) *service.Role {
	var classes []*secretfiles.Class
	for _, f := range files {
		if f.Class != nil {
			classes = append(classes, f.Class)
		}
	}
	if len(classes) == 0 {
		return nil
	}
	return &service.Role{Account: base.account, ClusterName: eks.Name, Statements: secretfiles.Permissions(base.account, classes...)}
}
