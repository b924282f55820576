package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/reply"
	"github.com/progressive-framework/platform/agents/internal/store"
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
	reply.Line(w, http.StatusOK, line)
}

// profile is the user's profile as a line of JSON. Who is new gets a row: a
// valid token is all that it takes.
func (s *Service) profile(ctx context.Context, id string) ([]byte, error) {
	return s.profiles.Load(ctx, userID(id), func(ctx context.Context) ([]byte, error) {
		user, err := s.backing.Store.User(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			user, err = s.backing.Store.EnsureUser(ctx, id)
		}
		if err != nil {
			return nil, err
		}
		return encode(user)
	})
}

func encode(u store.User) ([]byte, error) {
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
		reply.Error(w, http.StatusForbidden, reply.CodeForbidden, "this account may not be used")
	case errors.Is(err, store.ErrUnavailable):
		s.log.WarnContext(r.Context(), "the database is unavailable", "error", err)
		w.Header().Set("Retry-After", "1")
		reply.Error(w, http.StatusServiceUnavailable, reply.CodeUnavailable, "the database is unavailable; try again")
	case errors.Is(err, context.Canceled):
		// The client has left; a status is for the log.
		reply.Error(w, http.StatusServiceUnavailable, reply.CodeUnavailable, "the request was cancelled")
	default:
		s.log.ErrorContext(r.Context(), "a request failed", "error", err)
		reply.Error(w, http.StatusInternalServerError, reply.CodeInternal, "the service failed on this request")
	}
}
