package auth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// FuzzVerify: nothing but a token that the issuer has signed names anybody, and
// a refusal holds none of the token's own text.
func FuzzVerify(f *testing.F) {
	key, err := NewSigningKey()
	require.NoError(f, err)
	set, err := JWKS(key)
	require.NoError(f, err)
	v, err := New(Config{Issuer: testIssuer, Audience: testAudience, JWKSFile: "/unused"})
	require.NoError(f, err)
	v.keys.fetch = func(context.Context) ([]byte, error) { return set, nil }
	valid, err := key.Token(good())
	require.NoError(f, err)
	for _, text := range []string{valid, "a.b.c", `{"payload":"","signatures":[]}`, valid[:len(valid)-1], "eyJhbGciOiJub25lIn0.e30.", "\"\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		principal, err := v.Verify(t.Context(), text)
		if err == nil {
			// Base64 without its last unused bits has more than one spelling.
			require.Equal(t, "test-user-123", principal.Subject, "%q", text)
			require.Equal(t, valid[:strings.LastIndex(valid, ".")], text[:strings.LastIndex(text, ".")], "what is signed is what was signed")
			return
		}
		require.NotErrorIs(t, err, ErrNoKeys)
		require.Empty(t, principal)
		require.NotContains(t, err.Error(), "\"", "the refusal is quoted in a header")
		require.NotContains(t, err.Error(), "\n")
	})
}

// FuzzKeys: of a published set no more is kept than can verify a signature of
// ours, each key under its own id.
func FuzzKeys(f *testing.F) {
	key, err := NewSigningKey()
	require.NoError(f, err)
	set, err := JWKS(key)
	require.NoError(f, err)
	for _, text := range []string{
		string(set), `{}`, `{"keys":null}`, `{"keys":[null,{},[]]}`, `{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}`, `{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQAB"}]}`,
		`{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}]}`, `{"keys":[{"kty":"OKP","kid":"a","crv":"Ed25519","x":"AA"}]}`, "\xff",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		byID, err := parseKeys(text)
		if err != nil {
			require.Empty(t, byID)
			return
		}
		require.NotEmpty(t, byID)
		require.LessOrEqual(t, len(byID), maxKeys)
		for id, key := range byID {
			require.NotEmpty(t, id)
			require.Equal(t, id, key.KeyID)
			require.True(t, key.IsPublic() && key.Valid())
			require.Contains(t, []string{"", "sig"}, key.Use)
			if key.Algorithm != "" {
				require.Contains(t, algorithms, jose.SignatureAlgorithm(key.Algorithm))
			}
		}
	})
}

// FuzzBearer: a token is taken from one header, or one parameter of the query,
// and is what stands there, whole.
func FuzzBearer(f *testing.F) {
	for _, row := range [][3]string{
		{"Bearer a.b.c", "", ""}, {"bearer  a", "", ""}, {"Basic YTpi", "", "token=a"}, {"Bearer", "", "token=a"},
		{"", "", "token=a&token=b"}, {"", "", "token=%zz"}, {"", "", "token=a;b"},
		{"", "progressive.v1, bearer.a.b.c", "token=a"}, {"", "bearer.a,bearer.b", ""}, {"", "bearer.", "token=a"},
	} {
		f.Add(row[0], row[1], row[2])
	}
	f.Fuzz(func(t *testing.T, header, protocols, query string) {
		r := &http.Request{Header: http.Header{}, URL: &url.URL{RawQuery: query}}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if protocols != "" {
			r.Header.Set("Sec-WebSocket-Protocol", protocols)
		}
		token, err := fromHeader(r)
		if err == nil {
			require.NotEmpty(t, token)
			require.Equal(t, "bearer "+token, strings.ToLower(header[:7])+header[7:])
		}
		found, foundErr := fromSocket(r)
		offered := fromProtocols(r)
		switch {
		case header != "":
			require.Equal(t, err, foundErr, "a header that is there is the one that counts")
			require.Equal(t, token, found)
		case foundErr != nil:
		case len(offered) > 0:
			require.Equal(t, []string{found}, offered, "then the subprotocol")
			require.Contains(t, protocols, bearerProtocol+found)
		default:
			require.Equal(t, []string{found}, r.URL.Query()["token"])
		}
		if foundErr == nil {
			require.NotEmpty(t, found)
		}
	})
}
