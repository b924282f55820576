package envconfig_test

import (
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/internal/envconfig"
)

// FuzzReader checks that every method returns a value that satisfies its rule, for any
// text. For an invalid text it must return the default and report exactly one problem.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"", "7", "1e3", "256MB", "1GiB", "99999999999999999999EiB", "-1MB", "NaN", "5s", "1h-59m", "9223372036854775807ns", ":8000", "[::1]:80", "a:1,b:2", "a:1,", "a=1,b=2", "a=1,b=-2",
		"postgres://u:p@h/d?sslmode=disable", "http://", "https://[::1", "/run/secrets/a", "/../a", "info", "a b", "\x00",
	} {
		f.Add(text)
	}
	const min, max = 1 << 20, 1 << 30
	methods := []struct {
		read    func(*envconfig.Reader) any
		isValid func(any) bool
	}{
		{func(r *envconfig.Reader) any { return r.Int("X", 5, 1, 10) }, func(v any) bool { return v.(int) >= 1 && v.(int) <= 10 }},
		{func(r *envconfig.Reader) any { return r.Size("X", "256MB", min, max) }, func(v any) bool { return v.(uint64) >= min && v.(uint64) <= max }},
		{func(r *envconfig.Reader) any { return r.Duration("X", time.Second, 0, time.Minute) },
			func(v any) bool { return v.(time.Duration) >= 0 && v.(time.Duration) <= time.Minute }},
		{func(r *envconfig.Reader) any { return r.OneOf("X", "a", "a", "b") }, func(v any) bool { return v == "a" || v == "b" }},
		{func(r *envconfig.Reader) any { return r.Address("X", ":1") }, func(v any) bool {
			_, err := net.ResolveTCPAddr("tcp", loopbackAddress(v))
			return err == nil
		}},
		{func(r *envconfig.Reader) any { return r.Hosts("X", "a:1") }, func(v any) bool {
			for _, host := range v.([]string) {
				if name, port, err := net.SplitHostPort(host); err != nil || name == "" || port == "" {
					return false
				}
			}
			return len(v.([]string)) > 0
		}},
		{func(r *envconfig.Reader) any { return r.URL("X", "http://a", "http", "https") }, func(v any) bool {
			u, err := url.Parse(v.(string))
			return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
		}},
		{func(r *envconfig.Reader) any { return r.Path("X", "/a") }, func(v any) bool { return filepath.IsAbs(v.(string)) }},
		{func(r *envconfig.Reader) any { return r.Counts("X", "a", "b") }, func(v any) bool {
			counts := v.(map[string]int)
			return len(counts) == 0 || len(counts) == 2 && counts["a"] > 0 && counts["b"] > 0
		}},
		{func(r *envconfig.Reader) any { return r.Word("X", "a") }, func(v any) bool { return len(v.(string)) > 0 && len(v.(string)) <= 200 }},
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, method := range methods {
			withoutX, withX := newReader(nil), newReader(map[string]string{"X": text})
			value := method.read(withX)
			require.True(t, method.isValid(value), "%v", value)
			if err := withX.Err(); err != nil {
				require.Equal(t, method.read(withoutX), value)
				problems := envconfig.Problems{}
				require.ErrorAs(t, err, &problems)
				require.Len(t, problems, 1)
				require.NotEmpty(t, problems[0].Rule)
				require.NotEmpty(t, problems[0].Fix)
			}
		}
	})
}

// loopbackAddress replaces the host of the address by 127.0.0.1, so that the test
// resolves no name.
func loopbackAddress(address any) string {
	_, port, _ := net.SplitHostPort(address.(string))
	return "127.0.0.1:" + port
}
