package deployer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Repository stands for OWNER/NAME at GitHub in the documents.
const Repository = "OWNER/REPOSITORY"

// Issuer is GitHub's OpenID Connect provider (GitHub Docs, "Configuring OpenID Connect in
// Amazon Web Services").
const Issuer = "token.actions.githubusercontent.com"

// readPrefixes are the beginnings of the names of actions that change nothing.
var readPrefixes = []string{"Describe", "Get", "List", "BatchGet", "BatchCheck"}

// trustPolicy is the trust policy of a role.
type trustPolicy struct {
	Version   string
	Statement []trustPolicyStatement
}

type trustPolicyStatement struct {
	Sid, Effect, Action string
	Principal           map[string]string
	Condition           map[string]map[string]string
}

// CIPolicyDocuments returns the policy documents of the roles of the workflows, by name.
// trust-preview and trust-deploy say who may assume the previewing role and the deploying role.
// preview has the permissions of the previewing role; PolicyDocuments returns those of the
// deploying role. boundary is the permissions boundary of every role that the deploying role
// creates. GitHub puts the environment of a job into the token's subject. The conditions compare it
// exactly, so no other job, branch or repository gets the role.
func CIPolicyDocuments() (map[string][]byte, error) {
	contents := map[string]any{
		"boundary":      newBoundaryPolicy(),
		"trust-preview": newTrustPolicy("preview-" + Environment),
		"trust-deploy":  newTrustPolicy(Environment),
		"preview":       policy{Version: "2012-10-17", Statement: readOnlyStatements()},
	}
	documents := map[string][]byte{}
	for name, content := range contents {
		document, err := json.MarshalIndent(content, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", name, err)
		}
		documents[name] = append(document, '\n')
	}
	return documents, nil
}

// newBoundaryPolicy returns the permissions boundary of a stack's roles. A boundary gives no
// permission; it limits what the policies of a role can give. This boundary forbids actions that
// could give a role more permissions. These are actions on IAM, on the organization and on the
// account's settings, and the use of other roles. On IAM it allows only what service-linked roles
// need.
func newBoundaryPolicy() policy {
	return policy{Version: "2012-10-17", Statement: []statement{
		{
			Sid: "AtMost", Effect: "Allow", NotAction: []string{"iam:*", "organizations:*", "account:*", "sts:AssumeRole", "sts:GetFederationToken"},
			Resource: []string{"*"},
		},
		// EKS and Auto Scaling create the roles of other services of AWS.
		{Sid: "ServiceLinkedRoles", Effect: "Allow", Action: []string{"iam:CreateServiceLinkedRole", "iam:GetRole"}, Resource: serviceLinkedRoles()},
	}}
}

// newTrustPolicy returns the trust policy for jobs that run in this environment of GitHub.
func newTrustPolicy(environment string) trustPolicy {
	return trustPolicy{Version: "2012-10-17", Statement: []trustPolicyStatement{{
		Sid: "Workflow", Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity",
		Principal: map[string]string{"Federated": "arn:aws:iam::" + Account + ":oidc-provider/" + Issuer},
		Condition: map[string]map[string]string{"StringEquals": {
			Issuer + ":aud": "sts.amazonaws.com",
			Issuer + ":sub": "repo:" + Repository + ":environment:" + environment,
		}},
	}}}
}

// readOnlyStatements returns the statements of PolicyDocuments, reduced to the actions that change
// nothing. One statement has all actions on every resource, so that they fit into one policy.
func readOnlyStatements() []statement {
	onEverything := statement{Sid: "Any", Effect: "Allow", Resource: []string{"*"}}
	var readOnly []statement
	for _, name := range slices.Sorted(maps.Keys(policyServices)) {
		for _, s := range newStatements(policyServices[name]) {
			s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(action string) bool { return !isReadAction(action) })
			if s.Condition == nil && slices.Equal(s.Resource, onEverything.Resource) {
				onEverything.Action = append(onEverything.Action, s.Action...)
				continue
			}
			// A statement for service-linked roles is needed for creations only.
			if len(s.Action) > 0 && !strings.Contains(s.Sid, "ServiceLinked") {
				readOnly = append(readOnly, s)
			}
		}
	}
	return append(readOnly, onEverything)
}

// isReadAction reports whether an action changes nothing, by its prefix.
func isReadAction(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(readPrefixes, func(prefix string) bool { return strings.HasPrefix(verb, prefix) })
}
