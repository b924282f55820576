package httpapi

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
)

// Rules collects the field errors of a request. The zero value is empty.
type Rules []FieldError

// Check adds an error at the pointer if ok is false. The detail of the error is format with
// args, as in fmt.Sprintf.
func (r *Rules) Check(ok bool, pointer, format string, args ...any) {
	if !ok {
		*r = append(*r, FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

// userIDPattern matches the user ids of common identity providers.
var userIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@|-]{0,127}$`)

// CheckUserID checks the field userId.
func (r *Rules) CheckUserID(id string) {
	r.Check(userIDPattern.MatchString(id), "#/userId", "must be 1 to 128 letters, digits or ._:@|- and begin with a letter or digit")
}

// CheckOneOf checks that the value is allowed.
func (r *Rules) CheckOneOf(pointer, value string, allowed []string) {
	r.Check(slices.Contains(allowed, value), pointer, "must be one of %v", allowed)
}

// CheckAllOf checks that every value of the list is allowed, and that the list is not
// longer than the allowed values.
func (r *Rules) CheckAllOf(pointer string, list, allowed []string) {
	r.Check(len(list) <= len(allowed), pointer, "has %d items, must have at most %d", len(list), len(allowed))
	for i, value := range list[:min(len(list), len(allowed))] {
		if !slices.Contains(allowed, value) { // Sprintf only for an error
			r.CheckOneOf(fmt.Sprintf("%s/%d", pointer, i), value, allowed)
		}
	}
}

// CheckWithin checks an optional number. Both bounds are included.
func CheckWithin[N int | float64](r *Rules, pointer string, value *N, min, max N) {
	r.Check(value == nil || *value >= min && *value <= max, pointer, "must be from %v to %v", min, max)
}

// ToStrings converts values to plain strings.
func ToStrings[W ~string](values []W) []string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return texts
}

// SortedKeys returns the sorted keys of a table.
func SortedKeys[W ~string, V any](table map[W]V) []string {
	return ToStrings(slices.Sorted(maps.Keys(table)))
}

// Seed returns a seed for random numbers from the request's JSON. Equal requests have
// equal seeds.
func Seed(request any) uint64 {
	encoded, _ := json.Marshal(request) // cannot fail, because the request was decoded from JSON
	sum := fnv.New64a()
	_, _ = sum.Write(encoded) // hash.Hash never returns an error
	return sum.Sum64()
}
