package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Require lets through who sends a good token with the scope, as
// "Authorization: Bearer TOKEN", and puts them into the request's context.
func (v *Verifier) Require(scope string, next http.Handler) http.Handler {
	return v.require(scope, fromHeader, next)
}

// RequireSocket is Require for the WebSocket route. A browser can set no
// Authorization there, so the token may also come
//
//   - as a subprotocol, "Sec-WebSocket-Protocol: progressive.v1, bearer.TOKEN":
//     so does our page, since access logs of CloudFront and of the load
//     balancer hold no such header. Who accepts the connection answers with
//     progressive.v1 alone (package livestatus), so the token is not sent back. A
//     JWT's letters are all allowed there (RFC 6455, 4.1; RFC 7515, 2).
//   - as the query's "token", as the seed's load test sends it. That URL ends in
//     access logs; use it for tokens of tests.
//
// The header counts before the subprotocol, and that before the query.
func (v *Verifier) RequireSocket(scope string, next http.Handler) http.Handler {
	return v.require(scope, fromSocket, next)
}

func (v *Verifier) require(scope string, find func(*http.Request) (string, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := find(r)
		if err != nil {
			unauthorized(w, `Bearer realm="progressive"`, err.Error())
			return
		}
		principal, err := v.Verify(r.Context(), token)
		switch {
		case errors.Is(err, ErrNoKeys):
			httpapi.Error(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "tokens can't be checked just now; try again")
		case err != nil:
			// The description holds none of the token's own text, so nothing to quote.
			unauthorized(w, fmt.Sprintf(`Bearer realm="progressive", error="invalid_token", error_description="the token is refused: %s"`, err),
				fmt.Sprintf("the token is refused: %s", err))
		case !principal.May(scope):
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="progressive", error="insufficient_scope", scope="%s"`, scope))
			httpapi.Error(w, http.StatusForbidden, httpapi.CodeForbidden, fmt.Sprintf("the token lacks the scope %s", scope))
		default:
			next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), principal)))
		}
	})
}

// unauthorized is the 401 of RFC 6750, 3.
func unauthorized(w http.ResponseWriter, challenge, message string) {
	w.Header().Set("WWW-Authenticate", challenge)
	httpapi.Error(w, http.StatusUnauthorized, httpapi.CodeUnauthorized, message)
}

var errNoToken = errors.New("send a token as Authorization: Bearer TOKEN")

func fromHeader(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", errNoToken // two would leave open which of them counts
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// bearerProtocol begins the subprotocol that is a token.
const bearerProtocol = "bearer."

func fromSocket(r *http.Request) (string, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return fromHeader(r)
	}
	tokens := fromProtocols(r)
	if len(tokens) == 0 {
		tokens = r.URL.Query()["token"]
	}
	if len(tokens) != 1 || tokens[0] == "" {
		return "", errors.New("send one token, as Authorization: Bearer TOKEN, as the subprotocol bearer.TOKEN, or as ?token=TOKEN")
	}
	return tokens[0], nil
}

// fromProtocols lists the tokens among the subprotocols that a client offers,
// which may stand in one header or in several.
func fromProtocols(r *http.Request) []string {
	var tokens []string
	for protocol := range strings.SplitSeq(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), bearerProtocol); ok {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
