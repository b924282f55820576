package main

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// addKeySet adds the public keys that verify the issuer's tokens: the URL of the keys, or a file of
// the project. The file is not secret, but it is mounted in the same way as the secrets.
func (e *environment) addKeySet(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster) error {
	if url := stack.Auth.JWKSURL; url != "" {
		e.variables["JWT_JWKS_URL"] = pulumi.String(url)
		return nil
	}
	file, err := e.addFile(ctx, stack, eks, "issuer", "jwks.json", stack.Auth.KeySet)
	e.variables["JWT_JWKS_FILE"] = pulumi.String(file)
	return err
}

// authorities is the name of the Secret and of the volume with the certificate
// authorities.
const authorities = "authorities"

// addCAFile adds the file with the certificate authorities of the managed stores, if the stack has
// one.
func (e *environment) addCAFile(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster) error {
	if len(stack.CABundle) == 0 {
		return nil
	}
	var err error
	e.caFile, err = e.addFile(ctx, stack, eks, authorities, "ca.pem", stack.CABundle)
	return err
}

// addFile mounts content in every pod and returns the file's path there.
func (e *environment) addFile(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, name, file string, content []byte) (string, error) {
	secret, err := corev1.NewSecret(ctx, stack.Name()+"-"+name, &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: eks.namespace},
		StringData: pulumi.StringMap{file: pulumi.String(content)},
	}, eks.kubernetesProvider)
	if err != nil {
		return "", fmt.Errorf("file %s of the pods: %w", file, err)
	}
	e.files = append(e.files, service.SecretFiles{Name: name, SecretName: secret.Metadata.Name().Elem(), MountPath: secretsFolder + name})
	return secretsFolder + name + "/" + file, nil
}
