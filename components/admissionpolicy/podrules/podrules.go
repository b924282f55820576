// Package podrules owns rules in CEL. The API server enforces them on the pods of a
// namespace in addition to the Pod Security Standard "restricted". The standard limits
// the user, privileges, capabilities, seccomp, host ports, host namespaces and types of
// volumes. The rules here limit what the standard does not: images, the root file system and
// service account tokens for the API server. Package admissionpolicy creates the objects.
// sandbox/admission evaluates the rules with Kubernetes' own code.
package podrules

import (
	"fmt"
	"strconv"
	"strings"
)

// podIdentityAudience is the audience of the tokens that EKS Pod Identity mounts (EKS
// User Guide, "Understand how EKS Pod Identity works"). The API server refuses them.
const podIdentityAudience = "pods.eks.amazonaws.com"

// newOrChanged is the CEL condition for requests to which the rules apply: new pods and
// changed specs. So a finalizer can be removed from a pod that was created before the rules.
const newOrChanged = `request.operation == "CREATE" || object.spec != oldObject.spec`

// object is an object of the Kubernetes API.
type object = map[string]any

// Allowed is what the pods of a namespace may have.
type Allowed struct {
	// Images are the allowed prefixes of image references: a path of repositories that
	// ends in "/", or one repository that ends in "@". If the list is empty, no pod is
	// admitted.
	Images []string
	// TokenAccounts are the service accounts with pods that may mount a service account
	// token for the API server.
	TokenAccounts []string
}

// Spec returns the spec of the ValidatingAdmissionPolicy. The failure policy is Fail: the API
// server also refuses a pod if the evaluation of a rule fails. Spec returns an error for an
// image prefix that would admit other repositories.
func Spec(allowed Allowed) (map[string]any, error) {
	for _, image := range allowed.Images {
		// Without / or @ at its end, "registry/platform" would admit "registry/platform-of-others/x".
		if len(image) < 2 || !strings.HasSuffix(image, "/") && !strings.HasSuffix(image, "@") {
			return nil, fmt.Errorf("allowed images %q: must end in / (all repositories below it) or in @ (that repository)", image)
		}
	}
	var variables, validations []any
	for _, r := range rules(allowed) {
		variables = append(variables, object{"name": r.variableName(), "expression": r.violatorsExpression})
		validations = append(validations, object{"expression": "variables." + r.variableName() + ".size() == 0", "messageExpression": r.messageExpression()})
	}
	return object{
		"failurePolicy": "Fail",
		"matchConstraints": object{"resourceRules": []any{object{
			"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"},
			"resources": []any{"pods", "pods/ephemeralcontainers"}, // kubectl debug uses the second
		}}},
		"matchConditions": []any{object{"name": "new-or-changed", "expression": newOrChanged}},
		"variables":       variables,
		"validations":     validations,
	}, nil
}

// rule is one rule for pods.
type rule struct {
	// id is the name of the policy pack's rule with the same content (docs/policy.md).
	id string
	// violatorsExpression is a CEL expression for the names of the pod's containers or volumes
	// that break the rule.
	violatorsExpression string
	// problem and fix follow these names in the error message.
	problem, fix string
}

// rules returns all rules. Their expressions include the allowed images and accounts.
func rules(allowed Allowed) []rule {
	return []rule{
		{
			id:                  "image-of-this-stack",
			violatorsExpression: containersWithout(formatCELList(allowed.Images) + `.exists(i, c.?image.orValue("").startsWith(i))`),
			problem:             "runs an image that does not begin with " + strings.Join(allowed.Images, " or "),
			fix:                 "build the image in the stack, or mirror it into one of the stack's repositories",
		},
		{
			id:                  "pod-image-by-digest",
			violatorsExpression: containersWithout(`c.?image.orValue("").matches("@sha256:[0-9a-f]{64}$")`),
			problem:             "names its image by a tag",
			fix:                 "end the reference in @sha256:DIGEST, as the stack output images has it",
		},
		{
			id:                  "pod-read-only-root",
			violatorsExpression: containersWithout(`c.?securityContext.?readOnlyRootFilesystem.orValue(false)`),
			problem:             "can write its root file system",
			fix:                 "set securityContext.readOnlyRootFilesystem to true, and mount an emptyDir where the program writes",
		},
		{
			// The API server has added the volume of automountServiceAccountToken already.
			id: "pod-no-api-token",
			violatorsExpression: `object.spec.?serviceAccountName.orValue("") in ` + formatCELList(allowed.TokenAccounts) + ` ? [] : object.spec.?volumes.orValue([]).filter(v, v.?projected.?sources.orValue([]).exists(s, has(s.serviceAccountToken) && ` +
				`s.serviceAccountToken.?audience.orValue("") != ` + strconv.Quote(podIdentityAudience) + `)).map(v, v.name)`,
			problem: "has a service account token",
			fix:     "set automountServiceAccountToken to false",
		},
	}
}

// variableName returns the name of the CEL variable with the value of violatorsExpression.
func (r rule) variableName() string { return strings.ReplaceAll(r.id, "-", "_") }

// messageExpression returns a CEL expression for the error message: the rule, the names of the
// containers or volumes that break it, the problem and the fix.
func (r rule) messageExpression() string {
	return fmt.Sprintf(`%s + variables.%s.join(", ") + %s`,
		strconv.Quote(r.id+": "), r.variableName(), strconv.Quote(fmt.Sprintf(" %s. Fix: %s.", r.problem, r.fix)))
}

// containersWithout returns a CEL expression for the names of the containers for which
// condition is false. In condition, c is the container. The three kinds of containers
// have different types in CEL, so the expression joins lists of their names.
func containersWithout(condition string) string {
	var names []string
	for _, kind := range []string{"containers", "initContainers", "ephemeralContainers"} {
		names = append(names, fmt.Sprintf("object.spec.?%s.orValue([]).filter(c, !(%s)).map(c, c.name)", kind, condition))
	}
	return strings.Join(names, " + ")
}

// formatCELList returns texts as a CEL list of strings.
func formatCELList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
