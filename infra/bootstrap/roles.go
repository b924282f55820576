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

// deploySession is the longest session of a deploying role in seconds: as long as the job of a
// deployment may take (.github/workflows).
const deploySession = 7200

// settings is the configuration of this project.
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

// fill replaces the placeholders of a policy document by the values for a stack.
func (s settings) fill(document []byte, stack stack) pulumi.String {
	return pulumi.String(strings.NewReplacer(
		deployer.Repository, s.repository, deployer.Account, s.account, deployer.Environment, stack.Environment, deployer.HostedZone, stack.HostedZone,
	).Replace(string(document)))
}

// deploy creates GitHub's OpenID Connect provider. For each stack it creates the permissions
// boundary of the stack's roles, a role that previews the stack, and a role that deploys it.
func deploy(ctx *pulumi.Context, s settings, opts ...pulumi.ResourceOption) error {
	documents, err := deployer.CIPolicyDocuments()
	if err != nil {
		return err
	}
	permissions, err := deployer.PolicyDocuments()
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
			// The deploying role may change roles whose names begin with the stack's name. Its own
			// name begins with ci-, so that it can't change itself.
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

// attach creates a policy and attaches it to a role. The policy of a previewing role has the role's
// name. Other policies have the role's name and the suffix part.
func attach(ctx *pulumi.Context, name, part string, role *iam.Role, document pulumi.String, opts []pulumi.ResourceOption) error {
	policyName := name
	if part != "preview" {
		policyName += "-" + part
	}
	policy, err := iam.NewPolicy(ctx, policyName, &iam.PolicyArgs{Name: pulumi.String("ci-" + policyName), Policy: document}, opts...)
	if err != nil {
		return fmt.Errorf("policy %s: %w", policyName, err)
	}
	if _, err := iam.NewRolePolicyAttachment(ctx, policyName, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: policy.Arn}, opts...); err != nil {
		return fmt.Errorf("policy %s of role %s: %w", policyName, name, err)
	}
	return nil
}
