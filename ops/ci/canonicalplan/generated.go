package canonicalplan

import (
	"regexp"
	"slices"
	"strings"
)

// The values that a program draws anew in each run, and how a plan leaves them out. A
// value that is not in this list and differs makes two plans of one program different,
// and an approved plan is refused.
//
//   - Secrets, such as the random password of components/secret and the token of the
//     registry among an image's inputs: the preview has hidden instead of the value.
//     Their providers ignore such a change.
//   - The random end of a name that Pulumi generates for a new resource: generatedName, and
//     kubernetesName.
//   - Identifiers that the engine gives to what does not exist yet: unknown.
const hidden = "[secret]"

// generatedName matches a name that Pulumi generates: the resource's name and seven random
// hexadecimal digits (AWS provider, automatic names).
var generatedName = regexp.MustCompile(`^(.+)-[0-9a-f]{7}$`)

// kubernetesName matches a name that the Kubernetes provider generates: the resource's name and
// eight random hexadecimal digits. The provider marks such an object with the annotation autonamed
// (pulumi-kubernetes, provider/pkg/metadata/naming.go).
var kubernetesName = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)

const autonamed = "pulumi.com/autonamed"

// kubernetesNames returns the generated name of a Kubernetes object, and the name without its
// random end. Both are empty for another resource.
func kubernetesNames(s EngineStep) (name, stable string) {
	metadata, _ := s.NewState.Inputs["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	name, _ = metadata["name"].(string)
	match := kubernetesName.FindStringSubmatch(name)
	if annotations[autonamed] != "true" || match == nil || match[1] != Name(s.URN) {
		return "", ""
	}
	return name, match[1] + "-(generated)"
}

// generatedNames returns a replacer for the generated names of the resources that a preview would
// create. Inputs of other resources contain these names, such as the text of a policy.
func generatedNames(steps []EngineStep) *strings.Replacer {
	var pairs [][2]string
	for _, s := range steps {
		if s.NewState == nil || !slices.Contains([]string{"create", "create-replacement", "replace"}, s.Op) {
			continue
		}
		if name, stable := kubernetesNames(s); name != "" {
			pairs = append(pairs, [2]string{name, stable})
		}
		defaults, _ := s.NewState.Inputs["__defaults"].([]any)
		for _, property := range defaults {
			key, _ := property.(string)
			value, _ := s.NewState.Inputs[key].(string)
			match := generatedName.FindStringSubmatch(value)
			if match != nil && strings.HasPrefix(match[1], Name(s.URN)) {
				pairs = append(pairs, [2]string{value, match[1] + "-(generated)"})
			}
		}
	}
	// A replacer prefers the earlier pair, so longer names come first.
	slices.SortFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	var flat []string
	for _, p := range pairs {
		flat = append(flat, p[0], p[1])
	}
	return strings.NewReplacer(flat...)
}

// withoutGenerated removes the parts of a value that differ in each run. keep is false if the whole
// value is left out.
func withoutGenerated(value any, names *strings.Replacer) (clean any, keep bool) {
	switch v := value.(type) {
	case string:
		return names.Replace(v), v != hidden
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if clean, keep := withoutGenerated(item, names); keep {
				out = append(out, clean)
			}
		}
		return out, true
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			if strings.HasPrefix(name, "__") { // the engine adds it
				continue
			}
			if clean, keep := withoutGenerated(item, names); keep {
				out[name] = clean
			}
		}
		return out, true
	}
	return value, true
}
