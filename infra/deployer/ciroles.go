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

// readPrefixes begin the names of the actions that change nothing.
var readPrefixes = []string{"Describe", "Get", "List", "BatchGet", "BatchCheck"}

// trust is the trust policy of a role.
type trust struct {
	Version   string
	Statement []trustStatement
}

type trustStatement struct {
	Sid, Effect, Action string
	Principal           map[string]string
	Condition           map[string]map[string]string
}

// CIPolicyDocuments returns the documents of the roles of the workflows, by name. The trust policies say
// who may assume the previewing role and the deploying role. preview has the permissions of the
// previewing role; PolicyDocuments returns those of the deploying role. boundary is the permissions
// boundary of every role that the deploying role creates. GitHub puts the environment of a job into
// the token's subject. The conditions compare it exactly, so no other job, branch or repository
// gets the role.
func CIPolicyDocuments() (map[string][]byte, error) {
	documents := map[string]any{
		"boundary":      boundary(),
		"trust-preview": trustOf("preview-" + Environment),
		"trust-deploy":  trustOf(Environment),
		"preview":       policy{Version: "2012-10-17", Statement: readingStatements()},
	}
	all := map[string][]byte{}
	for name, content := range documents {
		document, err := json.MarshalIndent(content, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", name, err)
		}
		all[name] = append(document, '\n')
	}
	return all, nil
}

// boundary returns the permissions boundary of a stack's roles. It forbids what could widen a
// permission, whatever their policies allow: IAM, the organization and the account's settings, and
// other roles. A boundary gives no permission.
func boundary() policy {
	return policy{Version: "2012-10-17", Statement: []statement{
		{
			Sid: "AtMost", Effect: "Allow", NotAction: []string{"iam:*", "organizations:*", "account:*", "sts:AssumeRole", "sts:GetFederationToken"},
			Resource: []string{"*"},
		},
		// EKS and Auto Scaling create the roles of other services of AWS.
		{Sid: "ServiceLinkedRoles", Effect: "Allow", Action: []string{"iam:CreateServiceLinkedRole", "iam:GetRole"}, Resource: serviceLinkedRoles()},
	}}
}

// trustOf returns the trust policy for jobs with an environment of GitHub.
func trustOf(environment string) trust {
	return trust{Version: "2012-10-17", Statement: []trustStatement{{
		Sid: "Workflow", Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity",
		Principal: map[string]string{"Federated": "arn:aws:iam::" + Account + ":oidc-provider/" + Issuer},
		Condition: map[string]map[string]string{"StringEquals": {
			Issuer + ":aud": "sts.amazonaws.com",
			Issuer + ":sub": "repo:" + Repository + ":environment:" + environment,
		}},
	}}}
}

// readingStatements returns the statements of PolicyDocuments, reduced to the actions that change
// nothing.
func readingStatements() []statement {
	var all []statement
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		for _, s := range statements(policies[name]) {
			s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(action string) bool { return !reads(action) })
			// A statement for service-linked roles is needed for creations only.
			if len(s.Action) > 0 && !strings.Contains(s.Sid, "ServiceLinked") {
				all = append(all, s)
			}
		}
	}
	return all
}

// reads reports whether an action changes nothing, by its prefix.
func reads(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(readPrefixes, func(prefix string) bool { return strings.HasPrefix(verb, prefix) })
}
