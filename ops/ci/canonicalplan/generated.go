package canonicalplan

import (
	"regexp"
	"slices"
	"strings"
)

// Some values differ in each run of one program. A plan leaves them out. If it did not, the plan of
// a second preview would differ from the approved plan, and the update would be refused. The values
// are:
//
//   - Secrets, such as the random password of components/secret, and the registry's token in an
//     image's inputs. The preview has the text hidden instead of the value. Their providers ignore
//     such a change.
//   - The random end of a name that Pulumi generates for a new resource: generatedName and
//     kubernetesName.

// hidden is the text that a preview has for a secret.
const hidden = "[secret]"

// generatedName matches a name that Pulumi generates: the resource's name and seven random
// hexadecimal digits (AWS provider, automatic names).
var generatedName = regexp.MustCompile(`^(.+)-[0-9a-f]{7}$`)

// kubernetesName matches a name that the Kubernetes provider generates: the resource's name and
// eight random hexadecimal digits. The provider marks such an object with the annotation autonamed
// (pulumi-kubernetes, provider/pkg/metadata/naming.go).
var kubernetesName = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)

// autonamed is the annotation of an object whose name the Kubernetes provider has generated.
const autonamed = "pulumi.com/autonamed"

// kubernetesNames returns the generated name of a Kubernetes object, and a stable form of it without
// the random end. For a resource without such a name both are empty.
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

// generatedNames returns a replacer that removes the random ends of generated names. The names are
// those of the resources that the preview would create. Inputs of other resources, such as the text
// of a policy, may contain these names.
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

// removeGenerated removes the parts of a value that differ in each run. keep is false if the whole
// value is left out.
func removeGenerated(value any, names *strings.Replacer) (clean any, keep bool) {
	switch v := value.(type) {
	case string:
		return names.Replace(v), v != hidden
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			if clean, keep := removeGenerated(item, names); keep {
				out = append(out, clean)
			}
		}
		return out, true
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			if strings.HasPrefix(name, "__") { // the engine adds such a property
				continue
			}
			if clean, keep := removeGenerated(item, names); keep {
				out[name] = clean
			}
		}
		return out, true
	}
	return value, true
}
