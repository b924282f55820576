package rules

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// AWS's limits on tags: docs.aws.amazon.com/tag-editor/latest/userguide/
// best-practices-and-strats.html.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

var tagCharacters = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// tagged says whether a type has tags into which the provider merges default tags.
func tagged(r *schema.Resource) bool {
	_, in := r.Inputs["tags"]
	_, all := r.Outputs["tagsAll"]
	return in && all
}

// mergeTags returns tagsAll as pulumi-aws computes it (provider/tags.go): the provider's
// default tags, overridden by the resource's own. It is unknown if any of them is.
func mergeTags(defaults map[string]any, own any) any {
	if wire.ContainsUnknown(own) || wire.ContainsUnknown(defaults) {
		return wire.Unknown{}
	}
	all := wire.CloneMap(defaults)
	if m, ok := own.(map[string]any); ok {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// checkTags reports tags that AWS refuses.
func checkTags(all any, fail Fail) {
	tags, ok := all.(map[string]any)
	if !ok {
		return
	}
	if len(tags) > maxTags {
		fail("tags", "%d tags with the provider's default tags; AWS allows %d", len(tags), maxTags)
	}
	for key, v := range tags {
		value, _ := v.(string)
		path := "tags." + key
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			fail(path, "a tag's key has 1 to %d characters", maxTagKey)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			fail(path, "the prefix aws: is reserved for AWS")
		case utf8.RuneCountInString(value) > maxTagValue:
			fail(path, "a tag's value has at most %d characters, this has %d", maxTagValue, utf8.RuneCountInString(value))
		case !tagCharacters.MatchString(key) || !tagCharacters.MatchString(value):
			fail(path, "tags have letters, digits, spaces and _ . : / = + - @ only")
		}
	}
}
