// Package deployer has the IAM permissions of the identity that runs `pulumi up` on AWS: a table of
// actions by resource type, and the policies with these actions. Its functions have no side
// effects.
//
// The actions of a type are the actions that the type's file in the provider calls
// (hashicorp/terraform-provider-aws, internal/service). They have the names of AWS's Service
// Authorization Reference, and a test checks the names with package authorization. IAM has
// evaluated none of the policies, because nothing has run on AWS yet.
package deployer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:generate env CGO_ENABLED=0 go test -trimpath -run TestDocumentsAreCurrent . -update

const (
	// MaxPolicy is how many characters a managed policy may have, without white space
	// (IAM User Guide, "IAM and AWS STS quotas").
	MaxPolicy = 6144
	// MaxPolicies is how many managed policies a role may have by default (the same page).
	MaxPolicies = 10
)

// Placeholders of the policy documents. The person or program that creates the policies replaces
// them.
const (
	Account     = "ACCOUNT"
	Environment = "ENVIRONMENT"
	HostedZone  = "HOSTED_ZONE"
)

// scope is the kind of resources on which an action is allowed.
type scope int

const (
	// everything is for actions without a resource. It is also for actions that create a resource:
	// AWS chooses the id of a new resource, and the resource has no tag yet.
	everything scope = iota
	// named is for the resources of the service with names that begin with the stack's name.
	named
	// tagged is for the resources that have the stack's tags Project and Environment.
	tagged
	// bounded is for the roles of named that also have the permissions boundary of the stack. An
	// action that creates a role or sets a boundary must set this boundary. The condition key
	// iam:PermissionsBoundary exists only for actions that change permissions, such as CreateRole
	// and PutRolePolicy. Source: Service Authorization Reference, "Condition keys for AWS Identity
	// and Access Management".
	bounded
)

// BoundaryARN is the ARN of the permissions boundary of every role that the deployer creates.
const BoundaryARN = "arn:aws:iam::" + Account + ":policy/progressive-framework-" + Environment + "-boundary"

// grant is some actions of a service on a scope. The names of the actions do not have the service's
// prefix.
type grant struct {
	service string
	scope   scope
	actions []string
}

// allow returns the grant of actions of a service on a scope.
func allow(service string, scope scope, actions ...string) grant {
	return grant{service, scope, actions}
}

// Types lists the resource types of the table, sorted.
func Types() []string { return slices.Sorted(maps.Keys(grantsByType)) }

// PolicyDocuments returns the policies as indented JSON, by their names.
func PolicyDocuments() (map[string][]byte, error) {
	documents := map[string][]byte{}
	for name, services := range policyServices {
		document, err := json.MarshalIndent(policy{Version: "2012-10-17", Statement: newStatements(services)}, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		documents[name] = append(document, '\n')
	}
	return documents, nil
}

type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect string
	Action      []string `json:",omitempty"`
	NotAction   []string `json:",omitempty"`
	Resource    []string
	Condition   map[string]map[string]string `json:",omitempty"`
}

// newStatements returns the statements for some services: one for each service and scope with
// actions, and the services' extraStatements.
func newStatements(services []string) []statement {
	var statements []statement
	for _, service := range services {
		for _, s := range []scope{everything, named, tagged, bounded} {
			if actions := listActions(service, s); len(actions) > 0 {
				statements = append(statements, newStatement(service, s, actions))
			}
		}
		statements = append(statements, extraStatements[service]...)
	}
	return statements
}

// listActions returns the actions of a service on a scope, sorted. For a scope other than everything,
// it leaves out the actions that are allowed on everything already.
func listActions(service string, s scope) []string {
	actionsByScope := map[scope]map[string]bool{everything: {}, named: {}, tagged: {}, bounded: {}}
	typeGrants := slices.Concat(slices.Collect(maps.Values(grantsByType))...)
	for _, g := range slices.Concat(typeGrants, commonGrants) {
		if g.service != service {
			continue
		}
		for _, action := range g.actions {
			actionsByScope[g.scope][service+":"+action] = true
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(actionsByScope[s])), func(action string) bool {
		return s != everything && actionsByScope[everything][action]
	})
}

// sidSuffixes are the ends of the statements' Sids, by scope.
var sidSuffixes = [...]string{everything: "Any", named: "Named", tagged: "Tagged", bounded: "Bounded"}

// newStatement returns the statement that allows actions of a service on a scope.
func newStatement(service string, s scope, actions []string) statement {
	allowStatement := statement{
		Sid: strings.ToUpper(service[:1]) + service[1:] + sidSuffixes[s], Effect: "Allow",
		Action: actions, Resource: []string{"*"},
	}
	switch s {
	case named:
		allowStatement.Resource = resourceARNs[service]
	case bounded:
		allowStatement.Resource = resourceARNs[service]
		allowStatement.Condition = map[string]map[string]string{"StringEquals": {"iam:PermissionsBoundary": BoundaryARN}}
	case tagged:
		allowStatement.Condition = map[string]map[string]string{"StringEquals": {
			"aws:ResourceTag/Project": "progressive-framework", "aws:ResourceTag/Environment": Environment,
		}}
	}
	return allowStatement
}
