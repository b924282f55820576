package webapp

import (
	"fmt"
	"net/http"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxUsers is the largest number of users that have a limiter. If there are more, users
// with few recent requests are evicted. An evicted user starts again with a full burst.
const maxUsers = 50_000

// userLimits limits the request rate of each user, from all addresses together.
type userLimits struct {
	perSecond, burst int
	limiters         *otter.Cache[string, *rate.Limiter] // by user
}

// newUserLimits returns the limits of all users. No user has a limiter at first.
func newUserLimits(perSecond, burst int) *userLimits {
	return &userLimits{perSecond, burst, otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxUsers})}
}

// limit returns a middleware that responds 429 to a user above the rate.
func (u *userLimits) limit(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := auth.PrincipalFromContext(r.Context())
		if u.getOrCreateLimiter(principal.Subject).Allow() {
			next(w, r)
			return
		}
		w.Header().Set("Retry-After", "1") // after one second the user may send again
		httpapi.SendError(w, http.StatusTooManyRequests, httpapi.CodeTooManyRequests,
			fmt.Sprintf("user rate exceeded: at most %d requests a second; try again", u.perSecond))
	})
}

// getOrCreateLimiter returns the user's limiter, and creates it if there is none.
func (u *userLimits) getOrCreateLimiter(user string) *rate.Limiter {
	if limiter, ok := u.limiters.GetIfPresent(user); ok {
		return limiter
	}
	limiter, _ := u.limiters.SetIfAbsent(user, rate.NewLimiter(rate.Limit(u.perSecond), u.burst))
	return limiter
}
