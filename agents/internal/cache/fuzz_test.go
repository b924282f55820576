package cache

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDecode: nothing that may stand in Redis breaks the decoder; what it takes
// is the same after it was written and read again.
func FuzzDecode(f *testing.F) {
	good, err := encode(plan{Name: "week", Days: []int{1, 2}}, time.Now().Add(time.Hour))
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte{form})
	f.Fuzz(func(t *testing.T, text []byte) {
		value, until, err := decode[plan](text)
		if err != nil {
			return
		}
		again, err := encode(value, until)
		require.NoError(t, err)
		same, sameUntil, err := decode[plan](again)
		require.NoError(t, err)
		require.Equal(t, value, same)
		require.True(t, until.Equal(sameUntil))
	})
}

// FuzzEvent: nothing that may come over the channel breaks the listener; an
// event ends the values that it names and no other.
func FuzzEvent(f *testing.F) {
	for _, text := range []string{
		`{"event":"nutrition_db_update","ids":["a"],"origin":"x"}`, `{"event":"nutrition_db_update","origin":"x","done":["plan:"]}`, `{"event":"logout","ids":["a"]}`,
		`{}`, `null`, `[]`, `{"event":"nutrition_db_update","ids":[null]}`, "\xff", `{"event":1}`,
	} {
		f.Add(text)
	}
	c := unconnected(f, nil)
	s := plans(f, c, NutritionData)
	f.Fuzz(func(t *testing.T, text string) {
		kept := []userID{"a", "b", ""}
		for _, key := range kept {
			s.Set(key, plan{Name: string(key)})
		}
		c.hear(t.Context(), text)
		var m message
		ends := len(text) <= maxMessage && json.Unmarshal([]byte(text), &m) == nil && m.Origin != c.origin && m.Event == NutritionDBUpdate
		for _, key := range kept {
			_, ok := s.Get(t.Context(), key)
			require.Equal(t, !(ends && (len(m.IDs) == 0 || slices.Contains(m.IDs, string(key)))), ok, "%q after %q", key, text)
		}
	})
}
