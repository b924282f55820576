// Package podrules owns the rules, in CEL, that the API server enforces on the pods
// of a namespace in addition to the Pod Security Standard "restricted". The standard
// has the user, privileges, capabilities, seccomp, host ports, host namespaces and
// types of volumes. It has nothing about images, the root file system and tokens of
// the API server, which are the rules here. Package admissionpolicy creates the
// objects. sandbox/admission evaluates the rules with Kubernetes' own code.
package podrules

import (
	"fmt"
	"strconv"
	"strings"
)

// podIdentityAudience is the audience of the tokens that EKS Pod Identity mounts (EKS
// User Guide, "Understand how EKS Pod Identity works"). The API server refuses them.
const podIdentityAudience = "pods.eks.amazonaws.com"

// judged is true for the requests that the rules are about: new pods and changed
// specs. So a finalizer can be removed from a pod that is older than the rules.
const judged = `request.operation == "CREATE" || object.spec != oldObject.spec`

// object is an object of the Kubernetes API.
type object = map[string]any

// Allowed is what the pods of a namespace may have.
type Allowed struct {
	// Images are the beginnings of the references that pods may run: a path of
	// repositories that ends in "/", or one repository that ends in "@". Without any, no
	// pod is admitted.
	Images []string
	// TokenAccounts are the service accounts whose pods may have a token of the API
	// server.
	TokenAccounts []string
}

// Spec returns the spec of the ValidatingAdmissionPolicy. It refuses a pod that it
// can't evaluate.
func Spec(allowed Allowed) (map[string]any, error) {
	for _, image := range allowed.Images {
		// Without such an end, "registry/platform" would admit "registry/platform-of-others/x".
		if len(image) < 2 || !strings.HasSuffix(image, "/") && !strings.HasSuffix(image, "@") {
			return nil, fmt.Errorf("allowed images %q: must end in / (all repositories below it) or in @ (that repository)", image)
		}
	}
	var variables, validations []any
	for _, r := range rules(allowed) {
		variables = append(variables, object{"name": r.variable(), "expression": r.breaking})
		validations = append(validations, object{"expression": "variables." + r.variable() + ".size() == 0", "messageExpression": r.message()})
	}
	return object{
		"failurePolicy": "Fail",
		"matchConstraints": object{"resourceRules": []any{object{
			"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"},
			"resources": []any{"pods", "pods/ephemeralcontainers"}, // kubectl debug uses the second
		}}},
		"matchConditions": []any{object{"name": "new-or-changed", "expression": judged}},
		"variables":       variables,
		"validations":     validations,
	}, nil
}

// rule is one demand on a pod.
type rule struct {
	// id is the name of the policy pack's rule with the same content (docs/policy.md).
	id string
	// breaking is a CEL expression: the names of the containers or volumes of the pod
	// that break the rule.
	breaking string
	// problem and fix are what a refused user reads after those names.
	problem, fix string
}

func rules(allowed Allowed) []rule {
	return []rule{
		{
			id:       "image-of-this-stack",
			breaking: containersWithout(list(allowed.Images) + `.exists(i, c.?image.orValue("").startsWith(i))`),
			problem:  "runs an image that does not begin with " + strings.Join(allowed.Images, " or "),
			fix:      "build the image in the stack, or mirror it into one of the stack's repositories",
		},
		{
			id:       "pod-image-by-digest",
			breaking: containersWithout(`c.?image.orValue("").matches("@sha256:[0-9a-f]{64}$")`),
			problem:  "names its image by a tag",
			fix:      "end the reference in @sha256:DIGEST, as the stack output images has it",
		},
		{
			id:       "pod-read-only-root",
			breaking: containersWithout(`c.?securityContext.?readOnlyRootFilesystem.orValue(false)`),
			problem:  "can write its root file system",
			fix:      "set securityContext.readOnlyRootFilesystem to true, and mount an emptyDir where the program writes",
		},
		{
			// The API server has added the volume of automountServiceAccountToken already.
			id: "pod-no-api-token",
			breaking: `object.spec.?serviceAccountName.orValue("") in ` + list(allowed.TokenAccounts) + ` ? [] : object.spec.?volumes.orValue([]).filter(v, v.?projected.?sources.orValue([]).exists(s, has(s.serviceAccountToken) && ` +
				`s.serviceAccountToken.?audience.orValue("") != ` + strconv.Quote(podIdentityAudience) + `)).map(v, v.name)`,
			problem: "has a token of the API server",
			fix:     "set automountServiceAccountToken to false",
		},
	}
}

// variable is the name of the CEL variable with the value of breaking.
func (r rule) variable() string { return strings.ReplaceAll(r.id, "-", "_") }

// message is a CEL expression: the rule, what breaks it, and the fix.
func (r rule) message() string {
	return fmt.Sprintf(`%s + variables.%s.join(", ") + %s`,
		strconv.Quote(r.id+": "), r.variable(), strconv.Quote(fmt.Sprintf(" %s. Fix: %s.", r.problem, r.fix)))
}

// containersWithout returns the expression for the names of the containers, of all
// three kinds, for which condition is false. The container is c. The kinds differ in
// their types, so that only lists of their names can be added.
func containersWithout(condition string) string {
	var names []string
	for _, kind := range []string{"containers", "initContainers", "ephemeralContainers"} {
		names = append(names, fmt.Sprintf("object.spec.?%s.orValue([]).filter(c, !(%s)).map(c, c.name)", kind, condition))
	}
	return strings.Join(names, " + ")
}

// list returns the CEL list of texts.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
