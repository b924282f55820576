package kubernetes

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
)

// project reads from the live object the fields that inputs set: what a
// refresh takes as the new inputs, so that drift shows and what the API server
// fills in does not.
//
// The API server rewrites some values without meaning another: 1000m becomes
// 1, a false or an empty list is left out, stringData becomes data. Such a
// value is taken as unchanged.
func project(inputs, live map[string]any) map[string]any {
	out := projectFields(inputs, live, nil)
	if isSecret(inputs) {
		projectSecret(out, inputs, live)
	}
	return out
}

func projectFields(inputs, live map[string]any, at path) map[string]any {
	out := make(map[string]any, len(inputs))
	for name, value := range inputs {
		got, there := live[name]
		if p, keep := projectValue(value, got, there, at.key(name)); keep {
			out[name] = p
		}
	}
	return out
}

// projectValue returns the live value in the shape of the input, and whether
// there is one.
func projectValue(input, live any, there bool, at path) (any, bool) {
	if !there || live == nil {
		return input, isZero(input)
	}
	switch in := input.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			return projectFields(in, l, at), true
		}
	case []any:
		if l, ok := live.([]any); ok {
			return projectList(in, l, at), true
		}
	}
	if same(input, live) {
		return input, true
	}
	return clone[any](live), true
}

// isZero says whether the API server may leave the value out.
func isZero(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case map[string]any:
		for _, inner := range v {
			if !isZero(inner) {
				return false
			}
		}
		return true
	case []any:
		return len(v) == 0
	default:
		return reflect.ValueOf(value).IsZero()
	}
}

// same says whether two scalars mean the same to Kubernetes.
func same(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	s, ok := a.(string)
	if !ok {
		return quantityOfNumber(a, b)
	}
	t, ok := b.(string)
	if !ok {
		return false
	}
	return sameQuantity(s, t)
}

// quantityOfNumber is for quantities that the program wrote as numbers:
// cpu: 1 is live as "1".
func quantityOfNumber(a, b any) bool {
	t, ok := b.(string)
	if !ok {
		return false
	}
	switch n := a.(type) {
	case int64:
		q, err := resource.ParseQuantity(t)
		return err == nil && q.Cmp(*resource.NewQuantity(n, resource.DecimalSI)) == 0
	case float64:
		q, err := resource.ParseQuantity(t)
		return err == nil && q.AsApproximateFloat64() == n
	}
	return false
}

func sameQuantity(s, t string) bool {
	a, err := resource.ParseQuantity(s)
	if err != nil {
		return false
	}
	b, err := resource.ParseQuantity(t)
	return err == nil && a.Cmp(b) == 0
}

// mergeKeys are the fields by which the API server tells the items of a list
// apart, the first that all items of a list have, alone or together.
var mergeKeys = [][]string{
	{"name"}, {"mountPath"}, {"devicePath"}, {"containerPort", "protocol"}, {"containerPort"}, {"port", "protocol"}, {"port"},
	{"topologyKey", "whenUnsatisfiable"}, {"uid"}, {"ip"}, {"type"}, {"key"},
}

// projectList matches items by their merge key where they have one: somebody
// may have added an item of their own (a sidecar), which is no drift of ours.
// Other lists are one value.
func projectList(inputs, live []any, at path) []any {
	if keys := keyOf(inputs); keys != nil {
		out := make([]any, 0, len(inputs))
		for i, item := range inputs {
			wanted := item.(map[string]any)
			for _, l := range live {
				if got, ok := l.(map[string]any); ok && matches(wanted, got, keys) {
					out = append(out, projectFields(wanted, got, at.at(i)))
					break
				}
			}
		}
		return out
	}
	if at.String() == "metadata.finalizers" { // a set: others have theirs
		return slices.DeleteFunc(slices.Clone(inputs), func(f any) bool { return !slices.Contains(live, f) })
	}
	if len(inputs) != len(live) {
		return clone(live)
	}
	out := make([]any, len(live))
	for i := range live {
		out[i], _ = projectValue(inputs[i], live[i], true, at.at(i))
	}
	return out
}

// keyOf returns the merge key of a list of objects: each item has it, and no
// two have the same.
func keyOf(items []any) []string {
	if len(items) == 0 {
		return nil
	}
	for _, keys := range mergeKeys {
		if unique(items, keys) {
			return keys
		}
	}
	return nil
}

func unique(items []any, keys []string) bool {
	seen := map[string]bool{}
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return false
		}
		id := ""
		for _, k := range keys {
			v, ok := m[k]
			if !ok {
				return false
			}
			id += "\x00" + fmt.Sprint(v)
		}
		if seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

func matches(wanted, got map[string]any, keys []string) bool {
	for _, k := range keys {
		if fmt.Sprint(wanted[k]) != fmt.Sprint(got[k]) {
			return false
		}
	}
	return true
}

// projectSecret compares stringData, which the API server turns into data.
func projectSecret(out, inputs, live map[string]any) {
	given, ok := inputs["stringData"].(map[string]any)
	if !ok {
		return
	}
	data, _ := live["data"].(map[string]any)
	now := map[string]any{}
	for name, value := range given {
		encoded, ok := data[name].(string)
		if !ok {
			continue
		}
		plain, ok := decodeBase64(encoded)
		if !ok {
			continue
		}
		now[name] = plain
		if value == plain {
			now[name] = value
		}
	}
	out["stringData"] = now
}
