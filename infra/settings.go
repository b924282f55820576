package main

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/mongo"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
)

// settings are what every service is told of the stack: where its stores are,
// and whose tokens it accepts. What opens a store comes as files.
type settings struct {
	env   pulumi.StringMap
	files []service.SecretFiles
	// role lets pods read those of the files that come from Secrets Manager, and
	// nothing else; nil: none do.
	role *service.Role
	// authorities is the file with the certificates by which the managed stores
	// are told from others; empty: there is none.
	authorities string
}

// of is what one service is told beside: whose word it takes for where a request
// comes from, and where its page lies.
func (s *settings) of(profile scaling.Profile, p *platform) *settings {
	env := maps.Clone(s.env)
	switch {
	case profile.NodePort == 0:
		// Only our own services ask it; each of their pods is one client.
		env["CLIENT_RATE"] = pulumi.String("0")
	case p.loadBalancer != nil:
		env["TRUSTED_PROXIES"] = pulumi.String("2") // CloudFront and the load balancer
	case profile.Short != frontService:
		env["TRUSTED_PROXIES"] = pulumi.String("1") // the front service
	}
	if domain := p.stack.Edge.Domain; domain != "" && profile.Short == frontService {
		env["PUBLIC_ORIGIN"] = pulumi.String("https://" + domain)
	}
	told := *s
	told.env = env
	return &told
}

// secretsFolder is where the files lie, a folder for each store.
const secretsFolder = "/etc/platform/"

func (p *platform) settings() (*settings, error) {
	s := &settings{env: pulumi.StringMap{
		"JWT_ISSUER":   pulumi.String(p.stack.Auth.Issuer),
		"JWT_AUDIENCE": pulumi.String(p.stack.Auth.Audience),
	}}
	if err := p.keySet(s); err != nil {
		return nil, err
	}
	if err := p.trust(s); err != nil {
		return nil, err
	}
	if db := p.stores.postgres; db != nil {
		s.env["DATABASE_URL"] = pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=%s", postgres.Owner, db.host, db.port, postgres.DatabaseName, s.sslMode(db))
		s.open("postgres", "DATABASE_PASSWORD_FILE", db)
	}
	if cache := p.stores.redis; cache != nil {
		s.env["REDIS_ADDRESSES"] = pulumi.Sprintf("%s:%d", cache.host, cache.port)
		if cache.secretARN != nil {
			s.env["REDIS_TLS"] = pulumi.String("on")
		}
		s.open("redis", "REDIS_PASSWORD_FILE", cache)
	}
	s.role = p.reader(s.files)
	return s, nil
}

// reader is the role of pods that mount the files.
func (p *platform) reader(files []service.SecretFiles) *service.Role {
	var classes []*secretfiles.Class
	for _, f := range files {
		if f.Class != nil {
			classes = append(classes, f.Class)
		}
	}
	if len(classes) == 0 {
		return nil
	}
	return &service.Role{Account: p.where, ClusterName: p.cluster.Name, Statements: secretfiles.Rights(p.where, classes...)}
}

// sslMode: a managed store shows a certificate, which only its authorities can
// tell from another's; one in the cluster is reached over the cluster's own
// network only, by its network policy.
func (s *settings) sslMode(of *store) string {
	switch {
	case of.secretARN == nil:
		return "disable"
	case s.authorities == "":
		return "require"
	default:
		return "verify-full&sslrootcert=" + s.authorities
	}
}

// documents is what migrate is told beside: where the document store is. Its
// driver wants to know whom it talks to, so without authorities it is left
// alone.
func (p *platform) documents(s *settings) *settings {
	db := p.stores.mongo
	if db == nil || db.host == nil || s.authorities == "" {
		return s
	}
	told := *s
	told.env, told.files = maps.Clone(s.env), slices.Clone(s.files)
	told.open("mongo", "MONGODB_PASSWORD_FILE", db)
	// DocumentDB Developer Guide, "Connecting programmatically".
	told.env["MONGODB_URI"] = pulumi.Sprintf("mongodb://%s@%s:%d/?tls=true&tlsCAFile=%s&replicaSet=rs0&retryWrites=false",
		mongo.Owner, db.host, db.port, s.authorities)
	told.env["MONGODB_DATABASE"] = pulumi.String(mongo.DatabaseName)
	told.role = p.reader(told.files)
	return &told
}

// open mounts the password of a store, wherever it lies, in the same place.
func (s *settings) open(name, variable string, of *store) {
	s.files = append(s.files, service.SecretFiles{Name: name, SecretName: of.secretName, Class: of.class, MountPath: secretsFolder + name})
	s.env[variable] = pulumi.String(secretsFolder + name + "/" + secretfiles.FileName)
}
