package componenttest

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/admissionpolicy"
)

func newAdmissionPolicy(change func(*admissionpolicy.Args)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		args := &admissionpolicy.Args{
			PolicyName: "app", Namespace: pulumi.String("platform"), Images: pulumi.ToStringArray([]string{"registry.example.com/app/"}),
		}
		change(args)
		_, err := admissionpolicy.NewPolicy(ctx, "app", args)
		return err
	}
}

// The policy applies to one namespace only. In this namespace, the API server also refuses a pod if
// it can't evaluate a rule.
func TestAdmissionPolicyFailsClosedInItsNamespaceOnly(t *testing.T) {
	d := deploy(t, newAdmissionPolicy(func(*admissionpolicy.Args) {}))
	policy := d.find(t, "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy")
	policy.requireInputs(t, map[string]any{
		"metadata.name": "app", "spec.failurePolicy": "Fail", "spec.matchConstraints.resourceRules[0].operations": []any{"CREATE", "UPDATE"},
		"spec.matchConstraints.resourceRules[0].resources": []any{"pods", "pods/ephemeralcontainers"},
		"spec.variables[0].name":                           "image_of_this_stack", "spec.validations[0].expression": "variables.image_of_this_stack.size() == 0",
	})
	require.Contains(t, policy.input("spec.variables[0].expression"), `["registry.example.com/app/"].exists(`)
	require.Len(t, policy.input("spec.validations"), 4)

	binding := d.find(t, "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding")
	binding.requireInputs(t, map[string]any{
		"metadata.name": "app", "spec.policyName": "app", "spec.validationActions": []any{"Deny"},
		`spec.matchResources.namespaceSelector.matchLabels["kubernetes.io/metadata.name"]`: "platform",
	})
	binding.requireDependsOn(t, policy)
}

func TestAdmissionPolicyRefusesInvalidArgs(t *testing.T) {
	for _, tc := range []struct {
		reason, want string
		change       func(*admissionpolicy.Args)
	}{
		{"no policy name", "must be set", func(a *admissionpolicy.Args) { a.PolicyName = "" }},
		{"no namespace", "must be set", func(a *admissionpolicy.Args) { a.Namespace = nil }},
		{"no allowed image", "must be set", func(a *admissionpolicy.Args) { a.Images = nil }},
		{"a prefix that also admits other repositories", "must end in /", func(a *admissionpolicy.Args) { a.Images = pulumi.ToStringArray([]string{"registry.example.com/app"}) }},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := run(newAdmissionPolicy(tc.change))
			require.ErrorContains(t, err, tc.want)
		})
	}
}
