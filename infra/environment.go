package main

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// environment is what the pods of a service get from the stack: the addresses of the
// stores and the accepted issuer of tokens. Passwords come as files.
type environment struct {
	variables pulumi.StringMap
	files     []service.SecretFiles
	// statements are permissions of the pods, in addition to the permission to read the files that
	// come from Secrets Manager.
	statements []iam.Statement
	// logins configures how pods log in to PostgreSQL. It is nil if the stack has no PostgreSQL.
	logins *databaseLogins
	// caFile is the path of the file with the certificate authorities of the managed stores. It
	// is empty if there is no such file.
	caFile string
}

// secretsFolder has a folder for each Secret that is mounted.
const secretsFolder = "/etc/platform/"

// newEnvironment returns the environment that every service gets.
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
	if cache := stores.redis; cache != nil {
		env.variables["REDIS_ADDRESSES"] = pulumi.Sprintf("%s:%d", cache.host, cache.port)
		if cache.secretARN != nil {
			env.variables["REDIS_TLS"] = pulumi.String("on")
		}
		env.addPassword("redis", "REDIS_PASSWORD_FILE", cache)
	}
	if db := stores.postgres; db != nil {
		var err error
		env.logins, err = newDatabaseLogins(ctx, stack, base, eks, db, env.sslMode(db))
		if err != nil {
			return nil, err
		}
	}
	return env, nil
}

// clone returns a copy. The caller adds one program's own values to it.
func (e *environment) clone() *environment {
	env := *e
	env.variables, env.files, env.statements = maps.Clone(e.variables), slices.Clone(e.files), slices.Clone(e.statements)
	return &env
}

// forService returns a copy with what one service needs. That is its database role, the number of
// proxies that set the client's address, and the address of its page.
func (e *environment) forService(stack *config.Stack, profile scaling.Profile) *environment {
	env := e.clone()
	if env.logins != nil {
		env.logins.addLogin(env, profile.ShortName)
	}
	switch {
	case profile.NodePort == 0:
		// Only the platform's own services call this service. Each of their pods is one client, so
		// a rate limit for each client would limit all users of that pod together.
		env.variables["CLIENT_RATE"] = pulumi.String("0")
	case stack.Edge.Domain != "":
		env.variables["TRUSTED_PROXIES"] = pulumi.String("2") // CloudFront and the load balancer
	case profile.ShortName != frontService:
		env.variables["TRUSTED_PROXIES"] = pulumi.String("1") // the front service
	}
	if domain := stack.Edge.Domain; domain != "" && profile.ShortName == frontService {
		env.variables["PUBLIC_ORIGIN"] = pulumi.String("https://" + domain)
	}
	return env
}

// forMigration returns a copy for the migration. It adds the owner's password, the roles, and the
// document store.
func (e *environment) forMigration(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, documents *store) (*environment, error) {
	env := e.clone()
	env.logins.addOwnerLogin(env)
	if documents == nil {
		return env, nil
	}
	env.addPassword("mongo", "MONGODB_PASSWORD_FILE", documents)
	env.variables["MONGODB_DATABASE"] = pulumi.String(mongo.DatabaseName)
	if documents.uri != nil {
		return env, env.addMongoURI(ctx, stack, eks, documents.uri)
	}
	// DocumentDB Developer Guide, "Connecting programmatically".
	env.variables["MONGODB_URI"] = pulumi.Sprintf("mongodb://%s@%s:%d/?tls=true&tlsCAFile=%s&replicaSet=rs0&retryWrites=false",
		mongo.Owner, documents.host, documents.port, e.caFile)
	env.variables["MONGODB_PROFILER"] = pulumi.String("off")
	return env, nil
}

// addMongoURI adds the address of a MongoDB that the stack does not create. It also adds the
// certificate authorities in mongo.caFile. If mongo.caFile is not set, clients verify the servers with
// the public authorities in the image.
func (e *environment) addMongoURI(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, uri pulumi.StringInput) error {
	e.variables["MONGODB_URI"] = uri
	if len(stack.MongoCABundle) == 0 {
		return nil
	}
	file, err := e.addFile(ctx, stack, eks, "mongo-authorities", "ca.pem", stack.MongoCABundle)
	e.variables["MONGODB_URI"] = pulumi.Sprintf("%s&tlsCAFile=%s", uri, file)
	return err
}

// addPassword mounts the password of a store, and sets the environment variable to the path of its
// file. The path is the same for a Kubernetes Secret and for Secrets Manager.
func (e *environment) addPassword(name, variable string, s *store) {
	e.files = append(e.files, service.SecretFiles{Name: name, SecretName: s.secretName, Class: s.class, MountPath: secretsFolder + name})
	e.variables[variable] = pulumi.String(secretsFolder + name + "/" + secretfiles.FileName)
}

// sslMode returns the value of PostgreSQL's sslmode, with the parameters after it. The certificate
// of a managed server is verified. A server in the cluster has no certificate: its network policy
// admits only the platform's pods.
func (e *environment) sslMode(s *store) string {
	if s.secretARN == nil {
		return "disable"
	}
	return "verify-full&sslrootcert=" + e.caFile
}

// newRole returns the IAM role of the pods. It returns nil if they need no permission. The role may
// read the files that come from Secrets Manager, and it has the statements of the environment.
func (e *environment) newRole(base *base, eks *eksCluster) *service.Role {
	var classes []*secretfiles.Class
	for _, f := range e.files {
		if f.Class != nil {
			classes = append(classes, f.Class)
		}
	}
	statements := append(secretfiles.Permissions(base.account, classes...), e.statements...)
	if len(statements) == 0 {
		return nil
	}
	return &service.Role{Account: base.account, ClusterName: eks.Name, Statements: statements}
}
