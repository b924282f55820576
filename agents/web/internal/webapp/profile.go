package webapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/database"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// Profile is the body of a 200 of GET profile and POST preferences.
type Profile struct {
	ID          string          `json:"id"`
	Email       *string         `json:"email,omitempty"`
	DisplayName string          `json:"displayName"`
	Profile     json.RawMessage `json:"profile"`
	Preferences json.RawMessage `json:"preferences"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// userID is the key of a profile, which is cached as it is answered.
type userID string

// errShutOut: the user has an account that may not be used.
var errShutOut = errors.New("the user is shut out")

func (s *Service) getProfile(w http.ResponseWriter, r *http.Request) {
	principal, _ := auth.PrincipalOf(r.Context())
	line, err := s.profile(r.Context(), principal.Subject)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	httpapi.Line(w, http.StatusOK, line)
}

// profile is the user's profile as a line of JSON. Who is new gets a row: a
// valid token is all that it takes.
func (s *Service) profile(ctx context.Context, id string) ([]byte, error) {
	return s.profiles.Load(ctx, userID(id), func(ctx context.Context) ([]byte, error) {
		user, err := s.dependencies.Store.User(ctx, id)
		if errors.Is(err, database.ErrNotFound) {
			user, err = s.dependencies.Store.EnsureUser(ctx, id)
		}
		if err != nil {
			return nil, err
		}
		return encode(user)
	})
}

func encode(u database.User) ([]byte, error) {
	if !u.Active {
		return nil, errShutOut
	}
	line, err := json.Marshal(Profile{u.ID, u.Email, u.DisplayName, u.Profile, u.Preferences, u.CreatedAt.UTC(), u.UpdatedAt.UTC()})
	if err != nil {
		return nil, fmt.Errorf("encode the profile of %s: %w", u.ID, err)
	}
	return append(line, '\n'), nil
}

func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errShutOut):
		httpapi.Error(w, http.StatusForbidden, httpapi.CodeForbidden, "this account may not be used")
	case errors.Is(err, database.ErrUnavailable):
		s.log.WarnContext(r.Context(), "the database is unavailable", "error", err)
		w.Header().Set("Retry-After", "1")
		httpapi.Error(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "the database is unavailable; try again")
	case errors.Is(err, context.Canceled):
		// The client has left; a status is for the log.
		httpapi.Error(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "the request was cancelled")
	default:
		s.log.ErrorContext(r.Context(), "a request failed", "error", err)
		httpapi.Error(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
	}
}
