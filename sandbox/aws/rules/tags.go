package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// AWS's limits on tags
// (docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tagCharacters matches the keys and values of tags.
var tagCharacters = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// supportsTags reports whether a type has tags. The provider adds its default tags to the
// tags of these types.
func supportsTags(r *schema.Resource) bool {
	_, hasTags := r.Inputs["tags"]
	_, hasTagsAll := r.Outputs["tagsAll"]
	return hasTags && hasTagsAll
}

// mergeTags returns tagsAll as pulumi-aws computes it (provider/tags.go). A resource's tag
// overrides the provider's default tag of the same name. If a tag is unknown, tagsAll is
// unknown.
func mergeTags(defaults map[string]any, tags any) any {
	if wire.ContainsUnknown(tags) || wire.ContainsUnknown(defaults) {
		return wire.Unknown{}
	}
	merged := wire.CloneMap(defaults)
	if m, ok := tags.(map[string]any); ok {
		for k, v := range m {
			merged[k] = v
		}
	}
	return merged
}

// checkTags reports failures for tags that AWS refuses. value is a map of keys to values; an
// unknown value is not checked. limit is the maximum number of tags.
func checkTags(value any, limit int, fail Fail) {
	tags, ok := value.(map[string]any)
	if !ok {
		return
	}
	if len(tags) > limit {
		fail("tags", "%d tags with the provider's default tags; AWS allows %d", len(tags), limit)
	}
	for key, v := range tags {
		text, _ := v.(string)
		path := "tags." + key
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			fail(path, "a tag's key has 1 to %d characters", maxTagKey)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			fail(path, "the prefix aws: is reserved for AWS")
		case utf8.RuneCountInString(text) > maxTagValue:
			fail(path, "a tag's value has at most %d characters, this value has %d", maxTagValue, utf8.RuneCountInString(text))
		case !tagCharacters.MatchString(key) || !tagCharacters.MatchString(text):
			fail(path, "tags have letters, digits, spaces and _ . : / = + - @ only")
		}
	}
}
