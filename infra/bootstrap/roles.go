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

// deploySessionSeconds is the longest session of a deploying role in seconds: as long as the job of
// a deployment may take (.github/workflows). previewSessionSeconds is IAM's default, one hour.
const deploySessionSeconds, previewSessionSeconds = 7200, 3600

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
	regionPattern      = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	accountPattern     = regexp.MustCompile(`^[0-9]{12}$`)
	repositoryPattern  = regexp.MustCompile(`^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$`)
	environmentPattern = regexp.MustCompile(`^[a-z][a-z0-9]{0,11}$`) // as in package config
	hostedZonePattern  = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
)

// validate returns an error for every invalid value. The values become parts of JSON documents, so
// they may have only the characters of the patterns.
func (s settings) validate() error {
	var errs []error
	check := func(name, value string, pattern *regexp.Regexp, rule string) {
		if !pattern.MatchString(value) {
			errs = append(errs, fmt.Errorf("%s is %q: must be %s", name, value, rule))
		}
	}
	check("aws:region", s.region, regionPattern, "a region of AWS")
	check("account", s.account, accountPattern, "twelve digits")
	check("repository", s.repository, repositoryPattern, "OWNER/NAME of GitHub")
	if len(s.stacks) == 0 {
		errs = append(errs, errors.New("stacks is empty: name at least one"))
	}
	seen := map[string]bool{}
	for i, stack := range s.stacks {
		check(fmt.Sprintf("stacks[%d].environment", i), stack.Environment, environmentPattern, "the environment of a stack")
		check(fmt.Sprintf("stacks[%d].hostedZone", i), stack.HostedZone, hostedZonePattern, "the id of a hosted zone of Route 53")
		if seen[stack.Environment] {
			errs = append(errs, fmt.Errorf("stacks[%d].environment is %q: it is listed twice", i, stack.Environment))
		}
		seen[stack.Environment] = true
	}
	return errors.Join(errs...)
}

// fillPlaceholders replaces the placeholders of a policy document by the values for a stack.
func (s settings) fillPlaceholders(document []byte, stack stack) pulumi.String {
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
		return fmt.Errorf("OpenID Connect provider of GitHub: %w", err)
	}
	roles := pulumi.StringMap{}
	for _, stack := range s.stacks {
		boundary := "progressive-framework-" + stack.Environment + "-boundary"
		if _, err := iam.NewPolicy(ctx, boundary, &iam.PolicyArgs{
			Name: pulumi.String(boundary), Description: pulumi.String("What a role of the stack may do at most"), Policy: s.fillPlaceholders(documents["boundary"], stack),
		}, opts...); err != nil {
			return fmt.Errorf("permissions boundary %s: %w", boundary, err)
		}
		for _, r := range []struct {
			kind, trustDocument, description string
			sessionSeconds                   int
			policies                         map[string][]byte
		}{
			{"preview", "trust-preview", "previews and looks for drift", previewSessionSeconds, map[string][]byte{"preview": documents["preview"]}},
			{"deploy", "trust-deploy", "deploys", deploySessionSeconds, permissions},
		} {
			// The deploying role may change roles with names that begin with the stack's name. Its
			// own name begins with ci-, so that it can't change itself.
			name := r.kind + "-" + stack.Environment
			role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
				Name: pulumi.String("ci-" + name), Description: pulumi.String("The job that " + r.description + " the stack " + stack.Environment),
				AssumeRolePolicy: s.fillPlaceholders(documents[r.trustDocument], stack), MaxSessionDuration: pulumi.Int(r.sessionSeconds),
			}, append(slices.Clone(opts), pulumi.DependsOn([]pulumi.Resource{github}))...)
			if err != nil {
				return fmt.Errorf("role %s: %w", name, err)
			}
			roles[name] = role.Arn
			for _, suffix := range slices.Sorted(maps.Keys(r.policies)) {
				if err := attachPolicy(ctx, name, suffix, role, s.fillPlaceholders(r.policies[suffix], stack), opts); err != nil {
					return err
				}
			}
		}
	}
	ctx.Export("roles", roles)
	return nil
}

// attachPolicy creates a policy and attaches it to a role. The policy of a previewing role has the
// role's name. Other policies have the role's name and a suffix.
func attachPolicy(ctx *pulumi.Context, name, suffix string, role *iam.Role, document pulumi.String, opts []pulumi.ResourceOption) error {
	policyName := name
	if suffix != "preview" {
		policyName += "-" + suffix
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
