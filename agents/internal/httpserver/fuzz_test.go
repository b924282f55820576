package httpserver

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzClient checks that a client is an IPv4 address, an IPv6 /64 or unknown, for any
// header and address. A client cannot change the result by adding an entry before the
// entries of the trusted proxies.
func FuzzClient(f *testing.F) {
	for _, row := range [][2]string{{"", "192.0.2.1:5"}, {"203.0.113.9, 192.0.2.1", "10.0.0.1:1"}, {"[2001:db8::1]:443", "x"}, {"::ffff:192.0.2.1", ""}, {"fe80::1%eth0", ""}, {",", "@"}} {
		f.Add(row[0], row[1], uint8(1))
	}
	f.Fuzz(func(t *testing.T, forwarded, remote string, proxies uint8) {
		newRequest := func(header string) *http.Request {
			return &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {header}}}
		}
		trusted := int(proxies % 6)
		client := clientPrefix(newRequest(forwarded), trusted)
		switch {
		case !client.IsValid(): // the client is unknown
		case client.Addr().Is4():
			require.Equal(t, 32, client.Bits())
		default:
			require.Equal(t, ipv6PrefixLength, client.Bits())
			require.False(t, client.Addr().Is4In6())
			require.Empty(t, client.Addr().Zone())
		}
		require.Equal(t, client.Masked(), client)
		if hops := strings.Count(forwarded, ",") + 1; trusted <= hops {
			require.Equal(t, client, clientPrefix(newRequest("198.51.100.7, "+forwarded), trusted))
		}
	})
}

// FuzzRequestID checks that an accepted id is short and cannot forge log lines or response
// headers.
func FuzzRequestID(f *testing.F) {
	for _, id := range []string{"", "a", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "a b", "a\nb", "é", strings.Repeat("a", maxRequestID+1)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if !isValidRequestID(id) {
			return
		}
		require.NotEmpty(t, id)
		require.LessOrEqual(t, len(id), maxRequestID)
		require.Empty(t, strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"))
	})
}
