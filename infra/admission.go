package main

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/admissionpolicy"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/infra/config"
)

// deployAdmission makes the API server refuse foreign pods in the platform's namespace: pods with
// images that the stack does not use.
func deployAdmission(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster) (*admissionpolicy.Policy, error) {
	registry := repository.Registry(ctx, base.inRegion)
	images := pulumi.StringArray{pulumi.Sprintf("%s/%s/", registry, stack.Name())} // newImage's repositories
	for _, image := range stack.StoreImages() {
		images = append(images, referencePrefix(registry, image))
	}
	return admissionpolicy.NewPolicy(ctx, stack.Name(), &admissionpolicy.Args{
		PolicyName: stack.Name(), Namespace: eks.namespace, Images: images,
	}, eks.kubernetesProvider)
}

// referencePrefix returns the repository of a configured image, followed by an @. Every reference
// that resolveImage returns for an image of this repository begins with this text.
func referencePrefix(registry pulumi.StringInput, image string) pulumi.StringInput {
	if tagged, ok := strings.CutPrefix(image, config.AccountRegistry); ok {
		name, _, _ := strings.Cut(tagged, ":")
		return pulumi.Sprintf("%s/%s@", registry, name)
	}
	name, _, _ := strings.Cut(image, "@")
	return pulumi.String(name + "@")
}
