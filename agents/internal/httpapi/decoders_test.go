package httpapi

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// allFieldTypes has every type of field that the services' requests have.
type allFieldTypes struct {
	Text    string                     `json:"text"`
	Words   []string                   `json:"words,omitempty"`
	Count   *int                       `json:"count,omitempty"`
	Weight  *float64                   `json:"weight,omitempty"`
	Flag    *bool                      `json:"flag,omitempty"`
	Entries []entry                    `json:"entries,omitempty"`
	Rest    map[string]json.RawMessage `json:"rest,omitempty"`
}

type entry struct {
	Reps int      `json:"reps"`
	RPE  *float64 `json:"rpe,omitempty"`
}

func (*allFieldTypes) Validate() []FieldError { return nil }

// FuzzDecodersAgree checks that Decode, which tries the fast decoder first, has the same
// result as the strict decoder alone.
func FuzzDecodersAgree(f *testing.F) {
	for _, body := range []string{
		`{"text":"a","words":["b",null],"count":1,"weight":1.5,"flag":true,"entries":[{"reps":1,"rpe":8},{}],"rest":{"a":{"b":[1, 2]},"c":null}}`,
		`{}`, `null`, `[]`, `{"TEXT":"a"}`, `{"text":"a","text":"b"}`, `{"text":"\ud800"}`, `{"count":1e0}`, `{"count":-0}`, `{"weight":1e400}`,
		`{"words":null,"entries":null,"rest":null,"count":null}`, ` {"text" : "a"} `, `{"text":"a"}{}`, "\xff", `{"rest":{"a":1,"a":2}}`, `{"entries":[null]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var fast, strict allFieldTypes
		fastProblems, fastErr := Decode(body, &fast)
		strictProblems, strictErr := decodeStrictly(body, &strict)
		require.Equal(t, strictErr == nil, fastErr == nil)
		require.Equal(t, strictProblems, fastProblems)
		if strictErr == nil && len(strictProblems) == 0 {
			require.Equal(t, strict, fast)
		}
	})
}
