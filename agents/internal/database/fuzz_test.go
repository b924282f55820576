package database

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzConnection calls Config.Connection with any DATABASE_URL. If the call succeeds, the connection
// has TLS, except with sslmode=disable. An error must not contain the password.
func FuzzConnection(f *testing.F) {
	for _, row := range [][2]string{
		{"h:5432/d", "sslmode=verify-full"}, {"h:x/d", "sslmode=require"}, {"h/d", "sslmode=prefer"}, {"", "sslmode=disable&sslmode=prefer"}, {"%zz", ""}, {"h1,h2:1/d", "sslmode=disable&connect_timeout=x"},
		{"h/d", "sslmode=verify-full&sslrootcert=/nothing"}, {"h/d", "sslmode=disable&passfile=/nothing"},
	} {
		f.Add(row[0], row[1])
	}
	const password = "hunter2-hunter2"
	f.Fuzz(func(t *testing.T, hostAndPath, query string) {
		databaseURL := "postgres://u:" + password + "@" + hostAndPath + "?" + query
		conn, err := Config{URL: databaseURL, ConnectTimeout: time.Second}.Connection()
		if err != nil {
			require.NotContains(t, err.Error(), password)
			return
		}
		require.Equal(t, time.Second, conn.ConnectTimeout)
		u, err := url.Parse(databaseURL)
		require.NoError(t, err)
		for _, fallback := range conn.Fallbacks {
			require.Equal(t, conn.TLSConfig == nil, fallback.TLSConfig == nil, "no fallback without TLS: %s", u.Redacted())
		}
		require.Equal(t, u.Query().Get("sslmode") == "disable", conn.TLSConfig == nil)
	})
}
