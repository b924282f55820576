package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
)

// AWS is the configuration of the AWS providers, in addition to the region. Every
// other key of namespace aws is refused, with what to do instead.
type AWS struct {
	// The profile of AWS's config file whose credentials the stack and its
	// kubeconfig use.
	Profile string `key:"profile" unset:"the credentials of the environment"`
	// The role whose credentials the stack and its kubeconfig use. The profile's
	// credentials, or those of the environment, assume it.
	AssumeRole AssumedRole `key:"assumeRole"`
	// Tags of every resource, in addition to the stack's own.
	DefaultTags Tags `key:"defaultTags"`
	// Tags that others set on the stack's resources, and that the stack leaves
	// alone.
	IgnoreTags IgnoredTags `key:"ignoreTags"`
}

// AssumedRole is the IAM role that creates everything.
type AssumedRole struct {
	// The ARN of an IAM role in the account of `account`. It creates everything, and
	// the kubeconfig gets its tokens. For an external ID or a session policy, write
	// a profile in AWS's config file and set `aws:profile`.
	RoleARN string `key:"roleArn" unset:"none"`
}

// IgnoredTags are tags that somebody else owns.
type IgnoredTags struct {
	// The keys of the tags.
	Keys []string `key:"keys"`
	// How the keys of the tags begin.
	KeyPrefixes []string `key:"keyPrefixes"`
}

// Tags are tags by key.
type Tags struct {
	// Each tag's value by its key. The program's own keys, such as
	// `Environment`, are refused.
	Tags map[string]string `key:"tags" unset:"none"`
}

// OwnTags are on every resource that can have tags.
func (s *Stack) OwnTags() map[string]string {
	tags := map[string]string{"Project": Project, "Environment": s.Environment, "ManagedBy": "pulumi"}
	for key, value := range s.AWS.DefaultTags.Tags {
		tags[key] = value
	}
	return tags
}

// ownTags are keys that the program gives values to, by resource or for all.
var ownTags = []string{"Project", "Environment", "ManagedBy", "Name", "Tier", "AgentCapable"}

const (
	// A resource has 50 tags at most (AWS Tagging, "Tag naming limits and
	// requirements"); the program sets up to 10 itself.
	maxTags     = 40
	maxTagKey   = 128
	maxTagValue = 256
)

// roleARN is the ARN of an IAM role, with its account (IAM User Guide, "IAM
// identifiers").
var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/[!-~]{1,512}$`)

func validateAWS(s *Stack) field.ErrorList {
	var problems field.ErrorList
	at := func(key string) *field.Path { return field.NewPath(awsNamespace + ":" + key) }
	if arn := s.AWS.AssumeRole.RoleARN; arn != "" {
		role := at("assumeRole").Child("roleArn")
		switch form := roleARN.FindStringSubmatch(arn); {
		case form == nil:
			problems = append(problems, field.Invalid(role, arn, "must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/deployer"))
		case s.Account != "" && form[1] != s.Account:
			problems = append(problems, field.Invalid(role, arn, "is a role of another account than the stack's "+s.Account+", and would change that one"))
		default:
			if err := regions.CheckARN(s.Region, arn); err != nil {
				problems = append(problems, field.Invalid(role, arn, err.Error()))
			}
		}
	}
	if len(s.AWS.DefaultTags.Tags) > maxTags {
		problems = append(problems, field.TooMany(at("defaultTags").Child("tags"), len(s.AWS.DefaultTags.Tags), maxTags))
	}
	for _, key := range slices.Concat(ownTags, slices.Collect(maps.Keys(s.AWS.DefaultTags.Tags))) {
		ignored := slices.Contains(s.AWS.IgnoreTags.Keys, key) ||
			slices.ContainsFunc(s.AWS.IgnoreTags.KeyPrefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if ignored {
			problems = append(problems, field.Forbidden(at("ignoreTags"), "ignores "+key+", which is a tag that the program sets; take it out"))
		}
	}
	for key, value := range s.AWS.DefaultTags.Tags {
		tag := at("defaultTags").Child("tags").Child(key)
		switch {
		case slices.Contains(ownTags, key):
			problems = append(problems, field.Forbidden(tag, "is a tag that the program sets itself; take another key"))
		case strings.HasPrefix(strings.ToLower(key), "aws:") || strings.HasPrefix(key, "kubernetes.io/") || strings.HasPrefix(key, "k8s.io/"):
			problems = append(problems, field.Forbidden(tag, "is a key that AWS or Kubernetes gives a meaning; take another key"))
		case key == "" || len(key) > maxTagKey || len(value) > maxTagValue:
			problems = append(problems, field.Invalid(tag, value, "must have a key of 1 to 128 characters and a value of at most 256"))
		}
	}
	return problems
}
