package httpapi

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
)

// Rules collects what is wrong with a request. Its zero value is empty.
type Rules []FieldError

// Check notes the detail at the pointer unless the rule is kept.
func (r *Rules) Check(kept bool, pointer, detail string, args ...any) {
	if !kept {
		*r = append(*r, FieldError{Pointer: pointer, Detail: fmt.Sprintf(detail, args...)})
	}
}

// userID allows what the ids of the usual identity providers hold.
var userID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@|-]{0,127}$`)

// UserID checks the field userId.
func (r *Rules) UserID(id string) {
	r.Check(userID.MatchString(id), "#/userId", "must be 1 to 128 letters, digits or ._:@|- and begin with a letter or digit")
}

// OneOf checks a word.
func (r *Rules) OneOf(pointer, word string, allowed []string) {
	r.Check(slices.Contains(allowed, word), pointer, "must be one of %v", allowed)
}

// AllOf checks a list of words, which is no longer than that of the allowed.
func (r *Rules) AllOf(pointer string, list, allowed []string) {
	r.Check(len(list) <= len(allowed), pointer, "has %d items, must have at most %d", len(list), len(allowed))
	for i, word := range list[:min(len(list), len(allowed))] {
		if !slices.Contains(allowed, word) { // else no pointer is needed
			r.OneOf(fmt.Sprintf("%s/%d", pointer, i), word, allowed)
		}
	}
}

// Within checks a number that may be absent, both bounds included.
func Within[N int | float64](r *Rules, pointer string, value *N, least, most N) {
	r.Check(value == nil || *value >= least && *value <= most, pointer, "must be from %v to %v", least, most)
}

// Words are the words as plain text.
func Words[W ~string](all []W) []string {
	text := make([]string, len(all))
	for i, w := range all {
		text[i] = string(w)
	}
	return text
}

// Known are the keys of a table, sorted.
func Known[W ~string, V any](all map[W]V) []string {
	return Words(slices.Sorted(maps.Keys(all)))
}

// Seed is the same number for requests that are the same as JSON.
func Seed(request any) uint64 {
	line, _ := json.Marshal(request) // a decoded request always encodes
	sum := fnv.New64a()
	_, _ = sum.Write(line) // a hash's Write never fails
	return sum.Sum64()
}
