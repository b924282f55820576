package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/service"
)

// keySet says where the issuer's keys are: at its own address, or in a file of
// the project, which is public but lies best where the others do.
func (p *platform) keySet(s *settings) error {
	if url := p.stack.Auth.JWKSURL; url != "" {
		s.env["JWT_JWKS_URL"] = pulumi.String(url)
		return nil
	}
	keys, err := os.ReadFile(inProject(p.stack.Auth.JWKSFile))
	if err != nil {
		return fmt.Errorf("auth.jwksFile: %w; `make build` makes the sandbox's", err)
	}
	file, err := p.mount(s, "issuer", "jwks.json", keys)
	s.env["JWT_JWKS_FILE"] = pulumi.String(file)
	return err
}

// trust mounts the certificates of those who sign the managed stores' own.
func (p *platform) trust(s *settings) (err error) {
	name := p.stack.CAFile
	if name == "" {
		return nil
	}
	bundle, err := os.ReadFile(inProject(name))
	if err != nil {
		return fmt.Errorf("caFile: %w; AWS publishes global-bundle.pem for RDS and DocumentDB", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(bundle) {
		return fmt.Errorf("caFile: %s holds no certificate: must be PEM, as AWS's global-bundle.pem", name)
	}
	s.authorities, err = p.mount(s, "authorities", "ca.pem", bundle)
	return err
}

// inProject is the path of a file of the project; the program runs in its
// folder infra.
func inProject(name string) string { return filepath.Join("..", name) }

// mount has every pod see content as a file, and says where.
func (p *platform) mount(s *settings, name, file string, content []byte) (string, error) {
	made, err := corev1.NewSecret(p.ctx, p.name+"-"+name, &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: p.namespace},
		StringData: pulumi.StringMap{file: pulumi.String(content)},
	}, p.kubernetes)
	if err != nil {
		return "", fmt.Errorf("file %s of the pods: %w", file, err)
	}
	s.files = append(s.files, service.SecretFiles{Name: name, SecretName: made.Metadata.Name().Elem(), MountPath: secretsFolder + name})
	return secretsFolder + name + "/" + file, nil
}
