package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/scaling"
)

// AWS is the configuration of the AWS providers, in addition to the region. Every
// other key of namespace aws is refused, with what to do instead.
type AWS struct {
	// The profile of AWS's config file. The stack and its kubeconfig use its
	// credentials.
	Profile string `key:"profile" unset:"the credentials of the environment"`
	// The role that the stack and its kubeconfig assume. They use the profile's credentials for
	// this, or the credentials of the environment.
	AssumeRole AssumedRole `key:"assumeRole"`
	// Tags of every resource, in addition to the stack's own.
	DefaultTags Tags `key:"defaultTags"`
	// Tags that others set on the stack's resources, and that the stack leaves
	// alone.
	IgnoreTags IgnoredTags `key:"ignoreTags"`
}

// AssumedRole is the IAM role that creates everything.
type AssumedRole struct {
	// The ARN of an IAM role in the account of `account`. Pulumi creates all resources with this
	// role, and the kubeconfig requests its tokens with it. For an external ID or a session policy, write
	// a profile in AWS's config file and set `aws:profile`.
	RoleARN string `key:"roleArn" unset:"none"`
}

// IgnoredTags are tags that others set, such as an audit of the account.
type IgnoredTags struct {
	// The keys of the tags.
	Keys []string `key:"keys"`
	// How the keys of the tags begin.
	KeyPrefixes []string `key:"keyPrefixes"`
}

// Tags are tags by key.
type Tags struct {
	// Each tag's value by its key: at most 40 tags, and 7 with `edge.domain`, because
	// objects of S3 have 10 at most. The program's own keys, such as `Environment`, are
	// refused.
	Tags map[string]string `key:"tags" unset:"none"`
}

// OwnTags returns the tags that the program sets on every resource that can have tags.
func (s *Stack) OwnTags() map[string]string {
	tags := map[string]string{"Project": Project, "Environment": s.Environment, "ManagedBy": "pulumi"}
	for key, value := range s.AWS.DefaultTags.Tags {
		tags[key] = value
	}
	return tags
}

// programTagKeys are the keys of the tags that the program sets, on every resource or on some.
var programTagKeys = []string{"Project", "Environment", "ManagedBy", "Name", "Service", "Tier", "AgentCapable"}

const (
	// A resource has 50 tags at most (AWS Tagging, "Tag naming limits and
	// requirements"); the program sets up to 10 itself.
	maxTags = 40
	// An object of S3 has 10 tags at most (S3 User Guide, "Categorizing your objects using
	// tags"), and the program sets 3. With a domain, the static files are such objects.
	maxObjectTags = 10 - 3
	maxTagKey     = 128
	maxTagValue   = 256
)

// reservedTagPrefixes are the beginnings of tag keys that have a meaning for AWS or Kubernetes.
var reservedTagPrefixes = []string{"aws:", "kubernetes.io/", "k8s.io/"}

// tagText matches the keys and values of tags that every service accepts (AWS Tagging, "Tag naming
// limits and requirements").
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`)

// roleARN matches the ARN of an IAM role, and captures the id of its account (IAM User Guide, "IAM
// identifiers").
var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/([!-~]{1,510}/)?[A-Za-z0-9+=,.@_-]{1,64}$`)

// validateAWS checks the role and the tags of namespace aws.
func validateAWS(s *Stack) field.ErrorList {
	var problems field.ErrorList
	keyPath := func(key string) *field.Path { return field.NewPath(awsNamespace + ":" + key) }
	if arn := s.AWS.AssumeRole.RoleARN; arn != "" {
		rolePath := keyPath("assumeRole").Child("roleArn")
		switch match := roleARN.FindStringSubmatch(arn); {
		case match == nil:
			problems = append(problems, field.Invalid(rolePath, arn, "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/deployer"))
		case s.Account != "" && match[1] != s.Account:
			problems = append(problems, field.Invalid(rolePath, arn, "is a role of another account than the stack's "+s.Account+"; name a role of that account"))
		default:
			if err := regions.CheckARN(s.Region, arn); err != nil {
				problems = append(problems, field.Invalid(rolePath, arn, err.Error()))
			}
		}
	}
	problems = append(problems, s.validateTags(keyPath("defaultTags").Child("tags"))...)
	return append(problems, s.validateIgnoredTags(keyPath("ignoreTags"))...)
}

// validateTags checks the tags of every resource.
func (s *Stack) validateTags(keyPath *field.Path) field.ErrorList {
	var problems field.ErrorList
	tags := s.AWS.DefaultTags.Tags
	switch {
	case len(tags) > maxTags:
		problems = append(problems, field.Invalid(keyPath, len(tags), fmt.Sprintf("must have at most %d tags: a resource of AWS has 50, and the program sets up to 10", maxTags)))
	case len(tags) > maxObjectTags && s.Edge.Domain != "":
		problems = append(problems, field.Invalid(keyPath, len(tags), fmt.Sprintf(
			"must have at most %d tags with edge.domain: the static files are objects of S3, which have 10 at most, and the program sets 3", maxObjectTags)))
	}
	var earlierKeys []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		// For IAM, two tags of a role are the same if their keys differ only by upper and lower
		// case. Source: IAM User Guide, "Rules for tagging".
		equalsKey := func(other string) bool { return strings.EqualFold(key, other) }
		switch value, tagPath := tags[key], keyPath.Child(key); {
		case slices.ContainsFunc(programTagKeys, equalsKey):
			problems = append(problems, field.Forbidden(tagPath, "is a tag that the program sets itself; choose another key"))
		case slices.ContainsFunc(earlierKeys, equalsKey):
			problems = append(problems, field.Forbidden(tagPath, "differs from another tag by upper and lower case only, and IAM treats them as one tag; remove one of them"))
		case slices.ContainsFunc(reservedTagPrefixes, func(prefix string) bool { return strings.HasPrefix(strings.ToLower(key), prefix) }):
			problems = append(problems, field.Forbidden(tagPath, "is a key that AWS or Kubernetes gives a meaning; choose another key"))
		case key == "" || utf8.RuneCountInString(key) > maxTagKey || utf8.RuneCountInString(value) > maxTagValue:
			problems = append(problems, field.Invalid(tagPath, value, "must have a key of 1 to 128 characters and a value of at most 256"))
		case !tagText.MatchString(key) || !tagText.MatchString(value) || strings.TrimSpace(key) != key:
			problems = append(problems, field.Invalid(tagPath, value, "must have a key and a value of letters, digits, spaces and _ . : / = + - @ only, and no space at the key's ends"))
		}
		earlierKeys = append(earlierKeys, key)
	}
	return problems
}

// validateIgnoredTags refuses aws:ignoreTags with a tag that the program sets, because the provider
// would then not set this tag.
func (s *Stack) validateIgnoredTags(keyPath *field.Path) field.ErrorList {
	var problems field.ErrorList
	ignored := s.AWS.IgnoreTags
	for _, key := range s.TagKeys() {
		if slices.Contains(ignored.Keys, key) || slices.ContainsFunc(ignored.KeyPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) }) {
			problems = append(problems, field.Forbidden(keyPath, "ignores "+key+", which is a tag that the program sets; remove it"))
		}
	}
	return problems
}

// TagKeys lists the keys of all tags that the program sets, sorted: those of every resource,
// and those by which EKS and the Cluster Autoscaler find subnets, nodes and groups.
func (s *Stack) TagKeys() []string {
	keys := slices.Concat(programTagKeys, slices.Collect(maps.Keys(s.AWS.DefaultTags.Tags)),
		[]string{"kubernetes.io/role/elb", "kubernetes.io/role/internal-elb", "kubernetes.io/cluster/" + s.Name()})
	tiers, err := s.NodeTiers(s.Name())
	if err != nil {
		tiers = nil // validateTiers reports the error
	}
	for _, t := range tiers {
		if plan, err := scaling.PlanFor(t.Profile, t.Owner); err == nil {
			keys = slices.AppendSeq(keys, maps.Keys(plan.DiscoveryTags))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
