package envconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// newReader returns a reader of an environment with these values.
func newReader(values map[string]string) *envconfig.Reader {
	return envconfig.New(func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	})
}

func TestInvalidValueGetsTheFallbackAndAnError(t *testing.T) {
	readNumber := func(r *envconfig.Reader) any { return r.Int("X", 50, 1, 100) }
	readDuration := func(r *envconfig.Reader) any { return r.Duration("X", 5*time.Second, 0, time.Minute) }
	readOneOf := func(r *envconfig.Reader) any { return r.OneOf("X", "info", "debug", "info") }
	readAddress := func(r *envconfig.Reader) any { return r.Address("X", ":8000") }
	const (
		numberError   = `must be a whole number from 1 to 100: set such a value, or unset it for the default 50`
		durationError = `must be a duration with its unit, from 0s to 1m0s: set such a value, or unset it for the default 5s`
		oneOfError    = `must be debug or info: set such a value, or unset it for the default info`
		addressError  = `must be HOST:PORT, with an empty HOST for every interface and a PORT from 0 to 65535: set such a value, or unset it for the default :8000`
	)
	for _, row := range []struct {
		reason string
		read   func(*envconfig.Reader) any
		text   string
		want   any
		rule   string // empty: the text is valid
	}{
		{"the lowest number is allowed", readNumber, "1", 1, ""},
		{"the highest number is allowed", readNumber, "100", 100, ""},
		{"below the lowest", readNumber, "0", 50, numberError},
		{"above the highest", readNumber, "101", 50, numberError},
		{"larger than an int", readNumber, "99999999999999999999", 50, numberError},
		{"a float is not a whole number", readNumber, "1e1", 50, numberError},
		{"a space is not trimmed, because it shows wrong quotes in the manifest", readNumber, " 7", 50, numberError},
		{"an empty value is not absent", readNumber, "", 50, numberError},
		{"zero is a duration", readDuration, "0s", time.Duration(0), ""},
		{"a mixed duration", readDuration, "1s500ms", 1500 * time.Millisecond, ""},
		{"a unit is needed", readDuration, "5", 5 * time.Second, durationError},
		{"a negative duration", readDuration, "-1s", 5 * time.Second, durationError},
		{"a duration that is too long", readDuration, "61s", 5 * time.Second, durationError},
		{"an allowed value", readOneOf, "debug", "debug", ""},
		{"values are case-sensitive", readOneOf, "DEBUG", "info", oneOfError},
		{"every interface", readAddress, ":9000", ":9000", ""},
		{"any free port", readAddress, "127.0.0.1:0", "127.0.0.1:0", ""},
		{"IPv6", readAddress, "[::1]:80", "[::1]:80", ""},
		{"a bare port", readAddress, "8000", ":8000", addressError},
		{"a port above 65535", readAddress, ":65536", ":8000", addressError},
		{"a named port", readAddress, ":http", ":8000", addressError},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := newReader(map[string]string{"X": row.text})
			require.Equal(t, row.want, row.read(r))
			if row.rule == "" {
				require.NoError(t, r.Err())
				return
			}
			require.EqualError(t, r.Err(), `X="`+row.text+`" `+row.rule)
		})
	}
}

func TestAbsentVariableGetsTheDefault(t *testing.T) {
	r := newReader(nil)
	require.Equal(t, 3, r.Int("N", 3, 1, 9))
	require.Equal(t, "a", r.OneOf("W", "a", "a", "b"))
	require.NoError(t, r.Err())
}

func TestEveryProblemIsReported(t *testing.T) {
	r := newReader(map[string]string{"A": "x", "B": "y", "C": "2"})
	r.Int("A", 1, 1, 2)
	r.Duration("B", 0, 0, time.Second)
	r.Int("C", 1, 1, 2)
	r.Address("D", ":1")
	problems := envconfig.Problems{}
	require.ErrorAs(t, r.Err(), &problems)
	require.Len(t, problems, 2, "C is valid and D is absent")
	require.Equal(t, "A", problems[0].Variable)
	require.Equal(t, "B", problems[1].Variable)
}
