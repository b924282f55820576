package controller

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/manifestfile"
)

// approvalAnnotation is an annotation of CustomResourceDefinitions. The API server requires it for
// API groups that end in k8s.io (Kubernetes, "Labels, Annotations and Taints").
const approvalAnnotation = "api-approved.kubernetes.io"

// NewCustomResourceDefinitions creates the CustomResourceDefinitions that a controller's module
// publishes. name is the prefix of the resources' names in Pulumi.
func NewCustomResourceDefinitions(ctx *pulumi.Context, name string, definitions []manifestfile.Object, opts ...pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var resources []pulumi.Resource
	for _, o := range definitions {
		meta := &metav1.ObjectMetaArgs{Name: pulumi.String(o.Name())}
		if url := o.Annotation(approvalAnnotation); url != "" {
			meta.Annotations = pulumi.StringMap{approvalAnnotation: pulumi.String(url)}
		}
		definition, err := apiextensions.NewCustomResource(ctx, name+"-"+o.Name(), &apiextensions.CustomResourceArgs{
			ApiVersion:  pulumi.String(o.APIVersion()),
			Kind:        pulumi.String(o.Kind()),
			Metadata:    meta,
			OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Any(o["spec"])},
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("CustomResourceDefinition %s: %w", o.Name(), err)
		}
		resources = append(resources, definition)
	}
	return resources, nil
}
