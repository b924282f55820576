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

// FuzzVerify checks that only a token of the issuer returns a principal, and that an error
// contains no text of the token.
func FuzzVerify(f *testing.F) {
	key, err := NewSigningKey()
	require.NoError(f, err)
	set, err := JWKS(key)
	require.NoError(f, err)
	v, err := New(Config{Issuer: testIssuer, Audience: testAudience, JWKSFile: "/unused"})
	require.NoError(f, err)
	v.keys.fetch = func(context.Context) ([]byte, error) { return set, nil }
	valid, err := key.Token(validClaims())
	require.NoError(f, err)
	for _, token := range []string{valid, "a.b.c", `{"payload":"","signatures":[]}`, valid[:len(valid)-1], "eyJhbGciOiJub25lIn0.e30.", "\"\r\n"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		principal, err := v.Verify(t.Context(), token)
		if err == nil {
			// Several base64 texts encode the same signature, because base64 has unused bits.
			// So only header and claims are compared.
			require.Equal(t, "test-user-123", principal.Subject, "%q", token)
			require.Equal(t, valid[:strings.LastIndex(valid, ".")], token[:strings.LastIndex(token, ".")], "header and claims are the signed ones")
			return
		}
		require.NotErrorIs(t, err, ErrNoKeys)
		require.Empty(t, principal)
		require.NotContains(t, err.Error(), "\"", "the error is quoted in a header")
		require.NotContains(t, err.Error(), "\n")
	})
}

// FuzzKeys checks that parseKeys returns only keys that can verify a supported signature,
// each under its own id.
func FuzzKeys(f *testing.F) {
	key, err := NewSigningKey()
	require.NoError(f, err)
	set, err := JWKS(key)
	require.NoError(f, err)
	for _, encodedSet := range []string{
		string(set), `{}`, `{"keys":null}`, `{"keys":[null,{},[]]}`, `{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}`, `{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQAB"}]}`,
		`{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}]}`, `{"keys":[{"kty":"OKP","kid":"a","crv":"Ed25519","x":"AA"}]}`, "\xff",
	} {
		f.Add([]byte(encodedSet))
	}
	f.Fuzz(func(t *testing.T, encodedSet []byte) {
		byID, err := parseKeys(encodedSet)
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

// FuzzBearer checks that a token is the unchanged text of one header, one subprotocol or
// one query parameter.
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
		token, err := tokenFromHeader(r)
		if err == nil {
			require.NotEmpty(t, token)
			require.Equal(t, "bearer "+token, strings.ToLower(header[:7])+header[7:])
		}
		socketToken, socketErr := tokenFromSocketRequest(r)
		protocolTokens := tokensFromProtocols(r)
		switch {
		case header != "":
			require.Equal(t, err, socketErr, "the header takes precedence")
			require.Equal(t, token, socketToken)
		case socketErr != nil: // there is no token to compare
		case len(protocolTokens) > 0:
			require.Equal(t, []string{socketToken}, protocolTokens, "then the subprotocol")
			require.Contains(t, protocols, bearerPrefix+socketToken)
		default:
			require.Equal(t, []string{socketToken}, r.URL.Query()["token"])
		}
		if socketErr == nil {
			require.NotEmpty(t, socketToken)
		}
	})
}
