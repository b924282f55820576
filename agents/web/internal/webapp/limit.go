package webapp

import (
	"fmt"
	"net/http"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxUsers is how many users are remembered. Who comes seldom is forgotten first,
// and starts with a full burst again.
const maxUsers = 50_000

// userLimits limits what each user may send, from wherever they do.
type userLimits struct {
	rate, burst int
	users       *otter.Cache[string, *rate.Limiter]
}

func newUserLimits(perSecond, burst int) *userLimits {
	return &userLimits{perSecond, burst, otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxUsers})}
}

// limit answers 429 to a user who sends too much.
func (u *userLimits) limit(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := auth.PrincipalOf(r.Context())
		if u.of(principal.Subject).Allow() {
			next(w, r)
			return
		}
		w.Header().Set("Retry-After", "1") // a second's rate is free by then
		httpapi.Error(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			fmt.Sprintf("this user sends more than %d requests a second", u.rate))
	})
}

func (u *userLimits) of(user string) *rate.Limiter {
	if limiter, ok := u.users.GetIfPresent(user); ok {
		return limiter
	}
	limiter, _ := u.users.SetIfAbsent(user, rate.NewLimiter(rate.Limit(u.rate), u.burst))
	return limiter
}
