// Package repository owns the ECR repository of a service's images, and its lifecycle policy.
// Package image owns the images.
package repository

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args configure a Repository.
type Args struct {
	// RepositoryName is the repository's path in the registry, such as
	// progressive-framework-staging/mca.
	RepositoryName string
	// ForceDelete allows a destroy to delete a repository with images in it.
	ForceDelete bool
}

func (a *Args) validate() error {
	if a == nil || a.RepositoryName == "" {
		return errors.New("repository: RepositoryName must not be empty")
	}
	return nil
}

// Repository is an ECR repository.
type Repository struct {
	pulumi.ResourceState

	// URL is the host and path of the repository: the first part of an image
	// reference.
	URL pulumi.StringOutput
	ARN pulumi.StringOutput

	name           string
	repositoryName pulumi.StringOutput
}

// NewRepository creates an encrypted repository with immutable tags. Images are
// scanned when they are pushed. ExpireImages decides which images stay.
func NewRepository(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Repository, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	r := &Repository{}
	if err := ctx.RegisterComponentResource("progressive:repository:Repository", name, r, opts...); err != nil {
		return nil, fmt.Errorf("repository %s: %w", name, err)
	}
	ecrRepository, err := ecr.NewRepository(ctx, name+"-repository", &ecr.RepositoryArgs{
		Name:               pulumi.String(args.RepositoryName),
		ForceDelete:        pulumi.Bool(args.ForceDelete),
		ImageTagMutability: pulumi.String("IMMUTABLE"),
		ImageScanningConfiguration: &ecr.RepositoryImageScanningConfigurationArgs{
			ScanOnPush: pulumi.Bool(true),
		},
		EncryptionConfigurations: ecr.RepositoryEncryptionConfigurationArray{
			&ecr.RepositoryEncryptionConfigurationArgs{EncryptionType: pulumi.String("KMS")},
		},
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("repository %s: %w", args.RepositoryName, err)
	}
	r.URL, r.ARN, r.name, r.repositoryName = ecrRepository.RepositoryUrl, ecrRepository.Arn, name, ecrRepository.Name
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"url": r.URL, "arn": r.ARN})
}

// Registry returns the host of the account's registry, such as
// 123456789012.dkr.ecr.eu-west-1.amazonaws.com.
func Registry(ctx *pulumi.Context, opts ...pulumi.InvokeOption) pulumi.StringOutput {
	token := ecr.GetAuthorizationTokenOutput(ctx, ecr.GetAuthorizationTokenOutputArgs{}, opts...)
	// ECR returns the host together with the password. So Pulumi marks the host as secret, but
	// it is public.
	endpoint := pulumi.Unsecret(token.ProxyEndpoint()).(pulumi.StringOutput)
	return endpoint.ApplyT(func(url string) (string, error) {
		_, host, found := strings.Cut(url, "://")
		if !found || host == "" {
			return "", fmt.Errorf("registry: ECR returned the endpoint %q; expected https://HOST", url)
		}
		return host, nil
	}).(pulumi.StringOutput)
}

// LookupImage finds an image by its tag in an existing repository. It returns the reference of
// the image by digest.
func LookupImage(ctx *pulumi.Context, repository, tag string, opts ...pulumi.InvokeOption) (pulumi.String, error) {
	image, err := ecr.GetImage(ctx, &ecr.GetImageArgs{RepositoryName: repository, ImageTag: &tag}, opts...)
	if err != nil {
		return "", err
	}
	return pulumi.String(image.ImageUri), nil
}
