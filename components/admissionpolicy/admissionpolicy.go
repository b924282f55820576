// Package admissionpolicy owns the ValidatingAdmissionPolicy of the platform's
// namespace. The policy pack checks what Pulumi creates; the API server checks every
// pod, whoever creates it. Package podrules has the rules.
//
// The objects are registered as custom resources. The SDK's package
// admissionregistration has types for them, but it is large, and the platform would
// compile it for only two resources.
package admissionpolicy

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/admissionpolicy/podrules"
)

// apiVersion is served since Kubernetes 1.30.
const apiVersion = "admissionregistration.k8s.io/v1"

// namespaceNameLabel is the label with the name of each namespace. The API server sets
// it, and nobody can change it.
const namespaceNameLabel = "kubernetes.io/metadata.name"

// Args configure a Policy.
type Args struct {
	// PolicyName is the name of the two objects, unique in the cluster.
	PolicyName string
	// Namespace is the only namespace to which the policy applies.
	Namespace pulumi.StringInput
	// Images are the allowed prefixes of image references; see podrules.Allowed.
	Images pulumi.StringArray
	// TokenAccounts are the service accounts with pods that may mount a service account
	// token for the API server.
	TokenAccounts []string
}

func (a *Args) validate() error {
	if a == nil || a.PolicyName == "" || a.Namespace == nil || len(a.Images) == 0 {
		return errors.New("admission policy: PolicyName, Namespace and Images must be set")
	}
	return nil
}

// Policy refuses pods that break a rule.
type Policy struct {
	pulumi.ResourceState

	// Ready is the binding. The API server enforces the policy as soon as the binding
	// exists. A resource that creates pods must depend on Ready, and not on the Policy (see
	// network.Network.Ready).
	Ready []pulumi.Resource
}

// NewPolicy creates the policy and its binding. The API server also refuses a pod if it
// can't evaluate a rule.
func NewPolicy(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Policy, error) {
	if err := args.validate(); err != nil {
		return nil, err
	}
	p := &Policy{}
	if err := ctx.RegisterComponentResource("progressive:admissionpolicy:Policy", name, p, opts...); err != nil {
		return nil, fmt.Errorf("admission policy %s: %w", name, err)
	}
	policy, err := newObject(ctx, name+"-policy", "ValidatingAdmissionPolicy", args.PolicyName,
		args.Images.ToStringArrayOutput().ApplyT(func(images []string) (map[string]any, error) {
			return podrules.Spec(podrules.Allowed{Images: images, TokenAccounts: args.TokenAccounts})
		}), pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	binding, err := newObject(ctx, name+"-binding", "ValidatingAdmissionPolicyBinding", args.PolicyName, pulumi.Map{
		"policyName":        policy.Metadata.Name().Elem(),
		"validationActions": pulumi.ToStringArray([]string{"Deny"}),
		"matchResources":    pulumi.Map{"namespaceSelector": pulumi.Map{"matchLabels": pulumi.StringMap{namespaceNameLabel: args.Namespace}}},
	}, pulumi.Parent(p))
	if err != nil {
		return nil, err
	}
	p.Ready = []pulumi.Resource{binding}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{})
}

// newObject creates an object of the given kind. The object has only its name and a spec.
func newObject(ctx *pulumi.Context, name, kind, objectName string, spec pulumi.Input, parent pulumi.ResourceOption) (*apiextensions.CustomResource, error) {
	object, err := apiextensions.NewCustomResource(ctx, name, &apiextensions.CustomResourceArgs{
		ApiVersion:  pulumi.String(apiVersion),
		Kind:        pulumi.String(kind),
		Metadata:    &metav1.ObjectMetaArgs{Name: pulumi.String(objectName)},
		OtherFields: kubernetes.UntypedArgs{"spec": spec},
	}, parent)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, objectName, err)
	}
	return object, nil
}
