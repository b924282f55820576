package kubernetes

import (
	"reflect"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// change is one difference between two versions of an object's inputs.
type change struct {
	path path
	kind pulumirpc.PropertyDiff_Kind // ADD, DELETE or UPDATE
}

// compare lists the innermost places at which after differs from before, in
// the order of their paths.
func compare(before, after map[string]any) []change {
	var found []change
	compareFields(before, after, nil, &found)
	return found
}

func compareFields(before, after map[string]any, at path, found *[]change) {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	for _, name := range sortedKeys(names) {
		old, had := before[name]
		value, has := after[name]
		compareItems(old, had, value, has, at.key(name), found)
	}
}

func compareItems(old any, had bool, value any, has bool, at path, found *[]change) {
	switch {
	case !has:
		*found = append(*found, change{at, pulumirpc.PropertyDiff_DELETE})
	case !had:
		*found = append(*found, change{at, pulumirpc.PropertyDiff_ADD})
	default:
		compareValues(old, value, at, found)
	}
}

func compareValues(before, after any, at path, found *[]change) {
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			compareFields(b, a, at, found)
			return
		}
	case []any:
		if a, ok := after.([]any); ok {
			for i := range max(len(a), len(b)) {
				var old, value any
				if i < len(b) {
					old = b[i]
				}
				if i < len(a) {
					value = a[i]
				}
				compareItems(old, i < len(b), value, i < len(a), at.at(i), found)
			}
			return
		}
	}
	// What a preview does not know counts as changed: it may be.
	if _, ok := after.(unknown); ok || !reflect.DeepEqual(before, after) {
		*found = append(*found, change{at, pulumirpc.PropertyDiff_UPDATE})
	}
}
