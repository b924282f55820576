package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/infra/deployer"
)

// deploySession is the longest session of a deployment in seconds, as long as its job may
// take (.github/workflows).
const deploySession = 7200

// settings are the configuration.
type settings struct {
	region     string
	account    string
	repository string
	stacks     []stack
}

// stack is a stack of the platform.
type stack struct {
	Environment string `json:"environment"`
	HostedZone  string `json:"hostedZone"`
}

var (
	regionName  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	accountID   = regexp.MustCompile(`^[0-9]{12}$`)
	githubName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$`)
	environment = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`) // as in package config
	hostedZone  = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

// validate reports every fault. The values become parts of JSON documents, so no other
// character may be in them.
func (s settings) validate() error {
	var errs []error
	check := func(name, value string, form *regexp.Regexp, rule string) {
		if !form.MatchString(value) {
			errs = append(errs, fmt.Errorf("%s is %q: must be %s", name, value, rule))
		}
	}
	check("aws:region", s.region, regionName, "a region of AWS")
	check("account", s.account, accountID, "twelve digits")
	check("repository", s.repository, githubName, "OWNER/NAME of GitHub")
	if len(s.stacks) == 0 {
		errs = append(errs, errors.New("stacks is empty: name at least one"))
	}
	seen := map[string]bool{}
	for i, stack := range s.stacks {
		check(fmt.Sprintf("stacks[%d].environment", i), stack.Environment, environment, "the environment of a stack")
		check(fmt.Sprintf("stacks[%d].hostedZone", i), stack.HostedZone, hostedZone, "the id of a hosted zone of Route 53")
		if seen[stack.Environment] {
			errs = append(errs, fmt.Errorf("stacks[%d].environment is %q: it is listed twice", i, stack.Environment))
		}
		seen[stack.Environment] = true
	}
	return errors.Join(errs...)
}

// fill replaces the placeholders of a document.
func (s settings) fill(document []byte, stack stack) pulumi.String {
	return pulumi.String(strings.NewReplacer(
		deployer.Repository, s.repository, deployer.Account, s.account, deployer.Environment, stack.Environment, deployer.HostedZone, stack.HostedZone,
	).Replace(string(document)))
}

// deploy creates GitHub's provider, and for each stack the boundary of its roles, the role that
// previews it and the one that deploys it.
func deploy(ctx *pulumi.Context, s settings, opts ...pulumi.ResourceOption) error {
	documents, err := deployer.CIDocuments()
	if err != nil {
		return err
	}
	permissions, err := deployer.Documents()
	if err != nil {
		return err
	}
	github, err := iam.NewOpenIdConnectProvider(ctx, "github", &iam.OpenIdConnectProviderArgs{
		Url:           pulumi.String("https://" + deployer.Issuer),
		ClientIdLists: pulumi.StringArray{pulumi.String("sts.amazonaws.com")},
	}, opts...)
	if err != nil {
		return fmt.Errorf("GitHub's provider: %w", err)
	}
	roles := pulumi.StringMap{}
	for _, stack := range s.stacks {
		boundary := "progressive-framework-" + stack.Environment + "-boundary"
		if _, err := iam.NewPolicy(ctx, boundary, &iam.PolicyArgs{
			Name: pulumi.String(boundary), Description: pulumi.String("What a role of the stack may do at most"), Policy: s.fill(documents["boundary"], stack),
		}, opts...); err != nil {
			return fmt.Errorf("%s: %w", boundary, err)
		}
		for _, r := range []struct {
			kind, trust, description string
			seconds                  int
			policies                 map[string][]byte
		}{
			{"preview", "trust-preview", "previews and looks for drift", 3600, map[string][]byte{"preview": documents["preview"]}},
			{"deploy", "trust-deploy", "deploys", deploySession, permissions},
		} {
			// The deployer may change resources whose names begin with that of the stack. So the
			// name of its own role begins otherwise.
			name := r.kind + "-" + stack.Environment
			role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
				Name: pulumi.String("ci-" + name), Description: pulumi.String("The job that " + r.description + " the stack " + stack.Environment),
				AssumeRolePolicy: s.fill(documents[r.trust], stack), MaxSessionDuration: pulumi.Int(r.seconds),
			}, append(slices.Clone(opts), pulumi.DependsOn([]pulumi.Resource{github}))...)
			if err != nil {
				return fmt.Errorf("role %s: %w", name, err)
			}
			roles[name] = role.Arn
			for _, part := range slices.Sorted(maps.Keys(r.policies)) {
				if err := attach(ctx, name, part, role, s.fill(r.policies[part], stack), opts); err != nil {
					return err
				}
			}
		}
	}
	ctx.Export("roles", roles)
	return nil
}

// attach creates a policy and gives it to a role.
func attach(ctx *pulumi.Context, name, part string, role *iam.Role, document pulumi.String, opts []pulumi.ResourceOption) error {
	full := name
	if part != "preview" {
		full += "-" + part
	}
	policy, err := iam.NewPolicy(ctx, full, &iam.PolicyArgs{Name: pulumi.String("ci-" + full), Policy: document}, opts...)
	if err != nil {
		return fmt.Errorf("policy %s: %w", full, err)
	}
	if _, err := iam.NewRolePolicyAttachment(ctx, full, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: policy.Arn}, opts...); err != nil {
		return fmt.Errorf("policy %s of role %s: %w", full, name, err)
	}
	return nil
}
