package envconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

func environment(values map[string]string) *envconfig.Reader {
	return envconfig.New(func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	})
}

func TestReader(t *testing.T) {
	number := func(r *envconfig.Reader) any { return r.Int("X", 50, 1, 100) }
	duration := func(r *envconfig.Reader) any { return r.Duration("X", 5*time.Second, 0, time.Minute) }
	word := func(r *envconfig.Reader) any { return r.OneOf("X", "info", "debug", "info") }
	address := func(r *envconfig.Reader) any { return r.Address("X", ":8000") }
	const (
		wrongNumber   = `must be a whole number from 1 to 100: set it so, or unset it for the default 50`
		wrongDuration = `must be a duration with its unit, from 0s to 1m0s: set it so, or unset it for the default 5s`
		wrongWord     = `must be debug or info: set it so, or unset it for the default info`
		wrongAddress  = `must be HOST:PORT, with an empty HOST for every interface and a PORT from 0 to 65535: set it so, or unset it for the default :8000`
	)
	for _, row := range []struct {
		reason string
		read   func(*envconfig.Reader) any
		text   string
		want   any
		rule   string // empty: the text is good
	}{
		{"the lowest number is allowed", number, "1", 1, ""},
		{"the highest number is allowed", number, "100", 100, ""},
		{"below the lowest", number, "0", 50, wrongNumber},
		{"above the highest", number, "101", 50, wrongNumber},
		{"beyond what an int holds", number, "99999999999999999999", 50, wrongNumber},
		{"a float is not a whole number", number, "1e1", 50, wrongNumber},
		{"a space is not trimmed: quoting in the manifest is wrong", number, " 7", 50, wrongNumber},
		{"empty is not absent", number, "", 50, wrongNumber},
		{"zero is a duration", duration, "0s", time.Duration(0), ""},
		{"a mixed duration", duration, "1s500ms", 1500 * time.Millisecond, ""},
		{"a unit is needed", duration, "5", 5 * time.Second, wrongDuration},
		{"a negative duration", duration, "-1s", 5 * time.Second, wrongDuration},
		{"too long a duration", duration, "61s", 5 * time.Second, wrongDuration},
		{"a listed word", word, "debug", "debug", ""},
		{"words are case-sensitive", word, "DEBUG", "info", wrongWord},
		{"every interface", address, ":9000", ":9000", ""},
		{"any free port", address, "127.0.0.1:0", "127.0.0.1:0", ""},
		{"IPv6", address, "[::1]:80", "[::1]:80", ""},
		{"a bare port", address, "8000", ":8000", wrongAddress},
		{"a port beyond TCP's", address, ":65536", ":8000", wrongAddress},
		{"a named port", address, ":http", ":8000", wrongAddress},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := environment(map[string]string{"X": row.text})
			require.Equal(t, row.want, row.read(r))
			if row.rule == "" {
				require.NoError(t, r.Err())
				return
			}
			require.EqualError(t, r.Err(), `X="`+row.text+`" `+row.rule)
		})
	}
}

func TestAbsentGivesTheFallback(t *testing.T) {
	r := environment(nil)
	require.Equal(t, 3, r.Int("N", 3, 1, 9))
	require.Equal(t, "a", r.OneOf("W", "a", "a", "b"))
	require.NoError(t, r.Err())
}

func TestEveryProblemIsReported(t *testing.T) {
	r := environment(map[string]string{"A": "x", "B": "y", "C": "2"})
	r.Int("A", 1, 1, 2)
	r.Duration("B", 0, 0, time.Second)
	r.Int("C", 1, 1, 2)
	r.Address("D", ":1")
	problems := envconfig.Problems{}
	require.ErrorAs(t, r.Err(), &problems)
	require.Len(t, problems, 2, "C is good and D is absent")
	require.Equal(t, "A", problems[0].Variable)
	require.Equal(t, "B", problems[1].Variable)
}
