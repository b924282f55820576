// Command policyxpack serves the platform's rules through Pulumi's policyx, for the
// comparison in docs/performance.md. The resources of a stack are converted only once for
// all rules, so that this adapter adds little to the measured time.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/ruleset"
	"github.com/progressive-framework/platform/policy/source"
	"github.com/progressive-framework/platform/policy/value"
)

func main() {
	err := policyx.Main(func(*pulumi.Context) (policyx.PolicyPack, error) {
		var policies []policyx.Policy
		stack := &convertedStack{}
		for _, r := range rules() {
			if r.Check.Cross {
				policies = append(policies, stackPolicy(r, stack))
			} else {
				policies = append(policies, resourcePolicy(r))
			}
		}
		return policyx.NewPolicyPack("policyxpack", semver.MustParse("0.0.1"), policyx.EnforcementLevelMandatory, policies)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// resourcePolicy returns the policy of a rule that reads one resource.
func resourcePolicy(r *rule.Rule) policyx.Policy {
	return policyx.NewResourceValidationPolicy(r.ID, policyx.ResourceValidationPolicyArgs{
		Description: r.Title, EnforcementLevel: policyx.EnforcementLevelMandatory,
		ValidateResource: func(_ context.Context, args policyx.ResourceValidationArgs) error {
			if slices.Contains(r.Check.Types, args.Resource.Type) {
				apply(r, resource(args.Resource), nil, args.Manager)
			}
			return nil
		},
	})
}

// convertedStack is the graph of a stack, which the first policy that needs it converts.
type convertedStack struct{ graph *graph.Graph }

func (c *convertedStack) convert(resources []policyx.AnalyzerResource) *graph.Graph {
	if c.graph == nil {
		var all []*graph.Resource
		for _, a := range resources {
			all = append(all, resource(a))
		}
		c.graph = graph.Build(all)
	}
	return c.graph
}

// stackPolicy returns the policy of a rule that reads several resources.
func stackPolicy(r *rule.Rule, stack *convertedStack) policyx.Policy {
	return policyx.NewStackValidationPolicy(r.ID, policyx.StackValidationPolicyArgs{
		Description: r.Title, EnforcementLevel: policyx.EnforcementLevelMandatory,
		ValidateStack: func(_ context.Context, args policyx.StackValidationArgs) error {
			g := stack.convert(args.Resources)
			for _, typ := range r.Check.Types {
				for _, subject := range g.OfType(typ) {
					apply(r, subject, g, args.Manager)
				}
			}
			return nil
		},
	})
}

// rules returns all rules, or as many as the environment variable POLICY_RULES_OF_TEST
// says.
func rules() []*rule.Rule {
	all := ruleset.All()
	if n, err := strconv.Atoi(os.Getenv("POLICY_RULES_OF_TEST")); err == nil {
		return all[:n]
	}
	return all
}

func apply(r *rule.Rule, subject *graph.Resource, stack *graph.Graph, manager policyx.PolicyManager) {
	s := &rule.Subject{Resource: subject, Graph: stack, Now: time.Now()}
	r.Check.Run(s)
	if len(s.Broken) > 0 { // one violation for each resource, as in package server
		manager.ReportViolation(strings.Join(s.Broken, "; "), subject.URN)
	}
}

func resource(a policyx.AnalyzerResource) *graph.Resource {
	r := graph.New(a.URN)
	r.References, r.Protect, r.IgnoreChanges = a.PropertyDependencies, a.Options.Protect, a.Options.IgnoreChanges
	r.Inputs = value.New(object(a.Properties))
	return r
}

func object(m property.Map) any {
	out := make(map[string]any, m.Len())
	for name, v := range m.All {
		out[name] = plain(v)
	}
	return source.DecodeObject(out)
}

func plain(v property.Value) any {
	var raw any
	switch {
	case v.IsComputed():
		raw = value.Undetermined{}
	case v.IsString():
		raw = source.DecodeString(v.AsString())
	case v.IsNumber():
		raw = v.AsNumber()
	case v.IsBool():
		raw = v.AsBool()
	case v.IsMap():
		raw = object(v.AsMap())
	case v.IsArray():
		var list []any
		for _, item := range v.AsArray().All {
			list = append(list, plain(item))
		}
		raw = list
	}
	if v.Secret() {
		return value.Secret{Value: raw}
	}
	return raw
}
