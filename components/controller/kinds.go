package controller

import (
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/manifestfile"
)

// approval is an annotation of CustomResourceDefinitions. The API server requires it for
// API groups that end in k8s.io (Kubernetes, "Labels, Annotations and Taints").
const approval = "api-approved.kubernetes.io"

// NewKinds creates the CustomResourceDefinitions that a controller's module publishes.
// name is the prefix of the resources' names in Pulumi.
func NewKinds(ctx *pulumi.Context, name string, definitions []manifestfile.Object, opts ...pulumi.ResourceOption) ([]pulumi.Resource, error) {
	var created []pulumi.Resource
	for _, o := range definitions {
		meta := &metav1.ObjectMetaArgs{Name: pulumi.String(o.Name())}
		if url := o.Annotation(approval); url != "" {
			meta.Annotations = pulumi.StringMap{approval: pulumi.String(url)}
		}
		kind, err := apiextensions.NewCustomResource(ctx, name+"-"+o.Name(), &apiextensions.CustomResourceArgs{
			ApiVersion:  pulumi.String(o.APIVersion()),
			Kind:        pulumi.String(o.Kind()),
			Metadata:    meta,
			OtherFields: kubernetes.UntypedArgs{"spec": pulumi.Any(o["spec"])},
		}, opts...)
		if err != nil {
			return nil, fmt.Errorf("kind %s: %w", o.Name(), err)
		}
		created = append(created, kind)
	}
	return created, nil
}
