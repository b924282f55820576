package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Require serves requests with a valid token that has the scope. The request must have the
// header "Authorization: Bearer TOKEN". The principal is in the request's context.
func (v *Verifier) Require(scope string, next http.Handler) http.Handler {
	return v.require(scope, tokenFromHeader, next)
}

// RequireSocket checks the token of a WebSocket request, as Require does. A browser
// cannot set Authorization for a WebSocket, so RequireSocket also accepts the token
//
//   - as a subprotocol, "Sec-WebSocket-Protocol: progressive.v1, bearer.TOKEN".
//     The web page uses this, because access logs of CloudFront and of the load
//     balancer do not contain that header. The server responds with
//     progressive.v1 only (package livestatus), so the token is not sent back.
//     All characters of a JWT are allowed there (RFC 6455, 4.1; RFC 7515, 2).
//   - as the query parameter "token", as in the design document's load test.
//     The URL is in access logs, so use this only for test tokens.
//
// If a request has several tokens, the header is used before the subprotocol, and
// the subprotocol before the query parameter.
func (v *Verifier) RequireSocket(scope string, next http.Handler) http.Handler {
	return v.require(scope, tokenFromSocketRequest, next)
}

// require serves requests with a valid token that has the scope. findToken reads
// the token from the request.
func (v *Verifier) require(scope string, findToken func(*http.Request) (string, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := findToken(r)
		if err != nil {
			sendUnauthorized(w, `Bearer realm="progressive"`, err.Error())
			return
		}
		principal, err := v.Verify(r.Context(), token)
		switch {
		case errors.Is(err, ErrNoKeys):
			httpapi.SendError(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "the issuer's keys are unavailable, so the token cannot be verified; try again")
		case err != nil:
			// The error contains no text of the token, so no character must be escaped in the header.
			sendUnauthorized(w, fmt.Sprintf(`Bearer realm="progressive", error="invalid_token", error_description="invalid token: %s"`, err),
				fmt.Sprintf("invalid token: %s", err))
		case !principal.HasScope(scope):
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="progressive", error="insufficient_scope", scope="%s"`, scope))
			httpapi.SendError(w, http.StatusForbidden, httpapi.CodeForbidden, fmt.Sprintf("insufficient scope: the token does not have %s", scope))
		default:
			next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), principal)))
		}
	})
}

// sendUnauthorized sends status 401 with a challenge, as RFC 6750, section 3,
// requires.
func sendUnauthorized(w http.ResponseWriter, challenge, message string) {
	w.Header().Set("WWW-Authenticate", challenge)
	httpapi.SendError(w, http.StatusUnauthorized, httpapi.CodeUnauthorized, message)
}

var errNoToken = errors.New("send a token as Authorization: Bearer TOKEN")

// tokenFromHeader returns the token of the Authorization header.
func tokenFromHeader(r *http.Request) (string, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", errNoToken // with two headers it is unclear which one is meant
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// bearerPrefix is the prefix of a subprotocol that contains a token.
const bearerPrefix = "bearer."

// tokenFromSocketRequest returns the token of a request for a WebSocket. A browser cannot set
// the header Authorization of such a request, so the token may also be in the subprotocol or
// in the URL.
func tokenFromSocketRequest(r *http.Request) (string, error) {
	if len(r.Header.Values("Authorization")) > 0 {
		return tokenFromHeader(r)
	}
	tokens := tokensFromProtocols(r)
	if len(tokens) == 0 {
		tokens = r.URL.Query()["token"]
	}
	if len(tokens) != 1 || tokens[0] == "" {
		return "", errors.New("send exactly one token, as Authorization: Bearer TOKEN, as the subprotocol bearer.TOKEN, or as ?token=TOKEN")
	}
	return tokens[0], nil
}

// tokensFromProtocols returns the tokens among the client's subprotocols, from one or
// more headers.
func tokensFromProtocols(r *http.Request) []string {
	var tokens []string
	for protocol := range strings.SplitSeq(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), bearerPrefix); ok {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
