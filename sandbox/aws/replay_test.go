package aws

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/progressive-framework/platform/sandbox/aws/models"
	"github.com/progressive-framework/platform/sandbox/aws/rules"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// recordedResource is a resource of a recorded preview.
type recordedResource struct {
	URN    string `json:"urn"`
	Inputs props  `json:"inputs"`
	token  string
}

// unknownInRecording is the engine's text for an unknown value.
const unknownInRecording = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

// readRecordedPreview returns the AWS resources in the recorded preview of the stack prod.
// It leaves out types without a row.
func readRecordedPreview(t *testing.T) []recordedResource {
	f, err := os.Open(filepath.Join("..", "..", "policy", "testdata", "prod.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	var out []recordedResource
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20) // a line with policy documents can be longer than the default limit, 64 KiB
	for lines.Scan() {
		var r recordedResource
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		typ := strings.Split(r.URN, "::")[2]
		r.token = typ[strings.LastIndex(typ, "$")+1:]
		if _, known := rules.LookupRow(r.token); known {
			r.Inputs = decodeUnknowns(r.Inputs).(props)
			out = append(out, r)
		}
	}
	require.NoError(t, lines.Err())
	return out
}

// decodeUnknowns replaces the strings that stand for unknown values and secrets by wire.Unknown.
// It changes lists and maps in place, and returns the changed value.
func decodeUnknowns(v any) any {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, unknownInRecording) || v == "[secret]" {
			return wire.Unknown{}
		}
	case []any:
		for i := range v {
			v[i] = decodeUnknowns(v[i])
		}
	case props:
		for name := range v {
			v[name] = decodeUnknowns(v[name])
		}
	}
	return v
}

// limitedValue is a text or a number in the inputs of a resource that AWS's API model
// limits.
type limitedValue struct {
	path  string
	limit models.Limit
	value any
	set   func(any) // sets the value in the inputs
}

// limitedValues returns the values in v that AWS's API model limits. path is the path of v. set
// replaces v in the inputs; it is nil for the inputs themselves.
func limitedValues(token string, v any, path string, set func(any)) []limitedValue {
	var out []limitedValue
	switch v := v.(type) {
	case props:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, limitedValues(token, v[name], strings.TrimPrefix(path+"."+name, "."), func(changed any) { v[name] = changed })...)
		}
	case []any:
		for i := range v {
			out = append(out, limitedValues(token, v[i], path, func(changed any) { v[i] = changed })...)
		}
	case string, float64:
		if limit, ok := models.Load().Limit(token, path); ok {
			out = append(out, limitedValue{path, limit, v, set})
		}
	}
	return out
}

// refuses reports whether a limit of AWS's API model refuses a value. It uses no code of package
// rules, because the test checks package rules.
func refuses(l models.Limit, v any) bool {
	var n float64
	switch v := v.(type) {
	case float64:
		n = v
	case string:
		if v == "" || (l.Number && !regexp.MustCompile(`^-?\d+$`).MatchString(v)) {
			return false // the provider does not send such a value
		}
		if l.Number {
			_, err := fmt.Sscan(v, &n)
			return err == nil && !l.Allows(n)
		}
		if values := models.Load().Values(l); values != nil {
			return !slices.Contains(values, v)
		}
		if l.Pattern != "" && !regexp.MustCompile(`^(?:`+l.Pattern+`)$`).MatchString(v) {
			return true
		}
		n = float64(utf8.RuneCountInString(v))
	}
	return !l.Allows(n)
}

// The stand-in must accept the recorded inputs of prod. Then the test changes one value at
// random, many times. The stand-in must refuse each value that AWS's API models refuse.
func TestReplayOfProdRefusesValuesThatTheModelsRefuse(t *testing.T) {
	s := newSandbox(t, nil)
	preview := readRecordedPreview(t)
	require.Greater(t, len(preview), 100)
	for _, r := range preview {
		_, failures := s.check(r.token, "replayed", nil, r.Inputs)
		require.Empty(t, failures, "%s as recorded", r.URN)
	}
	refusedCount := 0
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(preview).Draw(t, "resource")
		in := wire.CloneMap(r.Inputs)
		limited := limitedValues(r.token, in, "", nil)
		if len(limited) == 0 {
			return
		}
		property := rapid.SampledFrom(limited).Draw(t, "property")
		var value any
		if _, isNumber := property.value.(float64); isNumber {
			value = float64(rapid.Int64Range(-10, 1<<33).Draw(t, "number"))
		} else {
			value = rapid.OneOf(
				rapid.StringN(1, 40, -1), rapid.StringMatching(`[A-Za-z0-9 _:/.-]{1,300}`),
				rapid.Just(strings.Repeat("x", 3000)), rapid.Just(""),
			).Draw(t, "text")
		}
		property.set(value)
		_, failures := s.check(r.token, "replayed", nil, in)
		if refuses(property.limit, value) {
			refusedCount++
			if len(failures) == 0 {
				t.Fatalf("%s %s: %.80q is accepted; %s refuses it", r.token, property.path, fmt.Sprint(value), property.limit.From)
			}
		}
	})
	require.Positive(t, refusedCount, "some random values must be refused by the models")
}
