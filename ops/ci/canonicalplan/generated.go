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
//   - Secrets, such as the random password of components/secret. The preview has secretText instead
//     of the value. The providers of these resources ignore a new value.
//   - The random suffix of a name that Pulumi generates for a new resource: generatedName and
//     kubernetesName.

// secretText is the text that a preview has for a secret.
const secretText = "[secret]"

// generatedName matches a name that Pulumi generates: the resource's name and seven random
// hexadecimal digits (AWS provider, automatic names).
var generatedName = regexp.MustCompile(`^(.+)-[0-9a-f]{7}$`)

// kubernetesName matches a name that the Kubernetes provider generates: the resource's name and
// eight random hexadecimal digits. The provider marks such an object with the annotation autonamed
// (pulumi-kubernetes, provider/pkg/metadata/naming.go).
var kubernetesName = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)

// autonamed is the annotation of an object if the Kubernetes provider has generated its name.
const autonamed = "pulumi.com/autonamed"

// generatedKubernetesName returns the generated name of a Kubernetes object, and a stable form of
// the name without the random suffix. For a resource without a generated name both are empty.
func generatedKubernetesName(s EngineStep) (name, stable string) {
	metadata, _ := s.NewState.Inputs["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	name, _ = metadata["name"].(string)
	match := kubernetesName.FindStringSubmatch(name)
	if annotations[autonamed] != "true" || match == nil || match[1] != Name(s.URN) {
		return "", ""
	}
	return name, match[1] + "-(generated)"
}

// newNameReplacer returns a replacer that removes the random suffixes of generated names. The names
// belong to the resources that the preview would create. Inputs of other resources, such as the
// text of a policy, may contain these names.
func newNameReplacer(steps []EngineStep) *strings.Replacer {
	var pairs [][2]string
	for _, s := range steps {
		if s.NewState == nil || !slices.Contains([]string{"create", "create-replacement", "replace"}, s.Op) {
			continue
		}
		if name, stable := generatedKubernetesName(s); name != "" {
			pairs = append(pairs, [2]string{name, stable})
		}
		// The engine lists in __defaults the properties with a value that the provider has chosen.
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
	// A replacer prefers the earlier pair. A name may be the prefix of a longer name, so longer names
	// come first.
	slices.SortFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	var oldNew []string
	for _, p := range pairs {
		oldNew = append(oldNew, p[0], p[1])
	}
	return strings.NewReplacer(oldNew...)
}

// removeGenerated returns a copy of an input value without the parts that differ in each run. keep
// is false if the whole value is a secret: then the plan leaves it out.
func removeGenerated(value any, names *strings.Replacer) (clean any, keep bool) {
	switch v := value.(type) {
	case string:
		return names.Replace(v), v != secretText
	case []any:
		kept := make([]any, 0, len(v))
		for _, item := range v {
			if clean, keep := removeGenerated(item, names); keep {
				kept = append(kept, clean)
			}
		}
		return kept, true
	case map[string]any:
		kept := make(map[string]any, len(v))
		for name, item := range v {
			if strings.HasPrefix(name, "__") { // the engine adds such a property
				continue
			}
			if clean, keep := removeGenerated(item, names); keep {
				kept[name] = clean
			}
		}
		return kept, true
	}
	return value, true
}
