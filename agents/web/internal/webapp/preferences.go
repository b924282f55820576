package webapp

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxBody is the largest request in bytes. The longest valid request has fewer than 200.
const maxBody = 4 << 10

// Preferences is the body of POST preferences. The design document's load test
// sends the first two fields. Absent fields keep their values.
type Preferences struct {
	Theme         *string `json:"theme,omitempty"`
	Notifications *bool   `json:"notifications,omitempty"`
	Units         *string `json:"units,omitempty"`
	Language      *string `json:"language,omitempty"`
}

var (
	themes = []string{"light", "dark", "system"}
	units  = []string{"metric", "imperial"}
	// languagePattern matches a subset of BCP 47: a language with an optional region.
	languagePattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
)

// Validate returns every violated rule.
func (p *Preferences) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.Check(*p != Preferences{}, "#", "must have at least one of theme, notifications, units and language")
	if p.Theme != nil {
		rules.CheckOneOf("#/theme", *p.Theme, themes)
	}
	if p.Units != nil {
		rules.CheckOneOf("#/units", *p.Units, units)
	}
	rules.Check(p.Language == nil || languagePattern.MatchString(*p.Language), "#/language", "must be a language such as en or de-AT")
	return rules
}

// postPreferences responds to POST preferences with the new profile.
func (s *Service) postPreferences(w http.ResponseWriter, r *http.Request) {
	var preferences Preferences
	if !httpapi.ReadBody(w, r, maxBody, &preferences) {
		return
	}
	principal, _ := auth.PrincipalFromContext(r.Context())
	encoded, err := s.savePreferences(r, principal.Subject, preferences)
	if err != nil {
		s.sendError(w, r, err)
		return
	}
	httpapi.SendLine(w, http.StatusOK, encoded)
}

// savePreferences stores the preferences and returns the encoded user. It
// publishes an event, so that caches drop the old profile.
func (s *Service) savePreferences(r *http.Request, id string, preferences Preferences) ([]byte, error) {
	ctx := r.Context()
	// A deactivated user may not write. loadProfile returns an error for such a user, usually
	// without a query of the database.
	if _, err := s.loadProfile(ctx, id); err != nil {
		return nil, err
	}
	encodedPreferences, err := json.Marshal(preferences)
	if err != nil {
		return nil, err
	}
	user, err := s.dependencies.Store.SavePreferences(ctx, id, encodedPreferences)
	if err != nil {
		return nil, err
	}
	// The write has succeeded, so a failed event is not an error. Old values stay
	// cached until their TTL ends.
	if err := s.dependencies.Cache.Publish(ctx, cache.ProfileUpdate, id); err != nil {
		s.log.WarnContext(ctx, "cache event failed; other processes may return the old preferences until the TTL ends", "error", err)
	}
	return encodeProfile(user)
}
