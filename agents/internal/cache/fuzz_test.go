package cache

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDecode checks that no data makes the decoder panic, and that a decoded value can be
// encoded and decoded again without a change.
func FuzzDecode(f *testing.F) {
	valid, err := encode(plan{Name: "week", Days: []int{1, 2}}, time.Now().Add(time.Hour))
	require.NoError(f, err)
	f.Add(valid)
	f.Add([]byte{format})
	f.Fuzz(func(t *testing.T, data []byte) {
		value, expires, err := decode[plan](data)
		if err != nil {
			return
		}
		encoded, err := encode(value, expires)
		require.NoError(t, err)
		redecoded, sameExpires, err := decode[plan](encoded)
		require.NoError(t, err)
		require.Equal(t, value, redecoded)
		require.True(t, expires.Equal(sameExpires))
	})
}

// FuzzEvent checks that no message makes the receiver panic, and that an event invalidates
// exactly the values with the ids in it.
func FuzzEvent(f *testing.F) {
	for _, encoded := range []string{
		`{"event":"nutrition_db_update","ids":["a"],"origin":"x"}`, `{"event":"nutrition_db_update","origin":"x","done":["plan:"]}`, `{"event":"logout","ids":["a"]}`,
		`{}`, `null`, `[]`, `{"event":"nutrition_db_update","ids":[null]}`, "\xff", `{"event":1}`,
	} {
		f.Add(encoded)
	}
	c := newCache(f, nil)
	plans := newPlans(f, c, NutritionData)
	f.Fuzz(func(t *testing.T, encoded string) {
		keys := []userID{"a", "b", ""}
		for _, key := range keys {
			plans.Set(key, plan{Name: string(key)})
		}
		c.receive(t.Context(), encoded)
		var m message
		isValid := len(encoded) <= maxMessageBytes && json.Unmarshal([]byte(encoded), &m) == nil
		isForPlans := isValid && m.Origin != c.origin && m.Event == NutritionDBUpdate
		for _, key := range keys {
			_, ok := plans.Get(t.Context(), key)
			invalidated := isForPlans && (len(m.IDs) == 0 || slices.Contains(m.IDs, string(key)))
			require.Equal(t, !invalidated, ok, "%q after %q", key, encoded)
		}
	})
}
