package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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
	return &settings{env: env, files: s.files, role: s.role}
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
	if db := p.stores.postgres; db != nil {
		s.env["DATABASE_URL"] = pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=%s", postgres.Owner, db.host, db.port, postgres.DatabaseName, db.sslMode())
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

// sslMode: a managed store shows a certificate; one in the cluster is reached
// over the cluster's own network only, by its network policy.
func (s *store) sslMode() string {
	if s.secretARN != nil {
		return "require"
	}
	return "disable"
}

// open mounts the password of a store, wherever it lies, in the same place.
func (s *settings) open(name, variable string, of *store) {
	s.files = append(s.files, service.SecretFiles{Name: name, SecretName: of.secretName, Class: of.class, MountPath: secretsFolder + name})
	s.env[variable] = pulumi.String(secretsFolder + name + "/" + secretfiles.FileName)
}

// keySet says where the issuer's keys are: at its own address, or in a file of
// the project, which is public but lies best where the others do.
func (p *platform) keySet(s *settings) error {
	if url := p.stack.Auth.JWKSURL; url != "" {
		s.env["JWT_JWKS_URL"] = pulumi.String(url)
		return nil
	}
	file := filepath.Join("..", p.stack.Auth.JWKSFile)
	keys, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("auth.jwksFile: %w; `make build` makes the sandbox's", err)
	}
	made, err := corev1.NewSecret(p.ctx, p.name+"-issuer", &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String("issuer"), Namespace: p.namespace},
		StringData: pulumi.StringMap{"jwks.json": pulumi.String(keys)},
	}, p.kubernetes)
	if err != nil {
		return fmt.Errorf("keys of the issuer: %w", err)
	}
	s.files = append(s.files, service.SecretFiles{Name: "issuer", SecretName: made.Metadata.Name().Elem(), MountPath: secretsFolder + "issuer"})
	s.env["JWT_JWKS_FILE"] = pulumi.String(secretsFolder + "issuer/jwks.json")
	return nil
}
