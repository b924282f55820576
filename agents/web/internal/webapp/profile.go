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

// Profile is the body of a 200 response to GET profile and POST preferences.
type Profile struct {
	ID          string          `json:"id"`
	Email       *string         `json:"email,omitempty"`
	DisplayName string          `json:"displayName"`
	Profile     json.RawMessage `json:"profile"`
	Preferences json.RawMessage `json:"preferences"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// userID is the cache key of a profile. The value is the encoded response.
type userID string

// errDeactivated means that the user's account is deactivated.
var errDeactivated = errors.New("the account is deactivated")

// getProfile responds to GET profile.
func (s *Service) getProfile(w http.ResponseWriter, r *http.Request) {
	principal, _ := auth.PrincipalFromContext(r.Context())
	encoded, err := s.loadProfile(r.Context(), principal.Subject)
	if err != nil {
		s.sendError(w, r, err)
		return
	}
	httpapi.SendLine(w, http.StatusOK, encoded)
}

// loadProfile returns the user's profile as a line of JSON. For a new user it creates the
// row in the database.
func (s *Service) loadProfile(ctx context.Context, id string) ([]byte, error) {
	return s.profileCache.Load(ctx, userID(id), func(ctx context.Context) ([]byte, error) {
		user, err := s.dependencies.Store.User(ctx, id)
		if errors.Is(err, database.ErrNotFound) {
			user, err = s.dependencies.Store.EnsureUser(ctx, id)
		}
		if err != nil {
			return nil, err
		}
		return encodeProfile(user)
	})
}

// encodeProfile returns the profile of a user as a line of JSON, or errDeactivated.
func encodeProfile(u database.User) ([]byte, error) {
	if !u.Active {
		return nil, errDeactivated
	}
	encoded, err := json.Marshal(Profile{u.ID, u.Email, u.DisplayName, u.Profile, u.Preferences, u.CreatedAt.UTC(), u.UpdatedAt.UTC()})
	if err != nil {
		return nil, fmt.Errorf("encode the profile of %s: %w", u.ID, err)
	}
	return append(encoded, '\n'), nil
}

// sendError sends an error response for an error of loadProfile or savePreferences.
func (s *Service) sendError(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errDeactivated):
		httpapi.SendError(w, http.StatusForbidden, httpapi.CodeForbidden, "the account is deactivated")
	case errors.Is(err, database.ErrUnavailable):
		s.log.WarnContext(r.Context(), "the database is unavailable", "error", err)
		w.Header().Set("Retry-After", "1")
		httpapi.SendError(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "the database is unavailable; try again")
	case errors.Is(err, context.Canceled):
		// The client has disconnected; the status is only for the log.
		httpapi.SendError(w, http.StatusServiceUnavailable, httpapi.CodeUnavailable, "the request was canceled")
	default:
		s.log.ErrorContext(r.Context(), "request failed", "error", err)
		httpapi.SendError(w, http.StatusInternalServerError, httpapi.CodeInternal, "the service failed on this request")
	}
}
