package webapp

import (
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/progressive-framework/platform/agents/internal/auth"
	"github.com/progressive-framework/platform/agents/internal/cache"
	"github.com/progressive-framework/platform/agents/internal/httpapi"
)

// maxBody is the largest request in bytes; the largest that says something has
// under 200.
const maxBody = 4 << 10

// Preferences is the body of POST preferences. The seed's load test sends the
// first two. What is absent stays as it was.
type Preferences struct {
	Theme         *string `json:"theme,omitempty"`
	Notifications *bool   `json:"notifications,omitempty"`
	Units         *string `json:"units,omitempty"`
	Language      *string `json:"language,omitempty"`
}

var (
	themes = []string{"light", "dark", "system"}
	units  = []string{"metric", "imperial"}
	// language is a subset of BCP 47: a language, and a region where it matters.
	language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
)

// Validate returns every broken rule.
func (p *Preferences) Validate() []httpapi.FieldError {
	var rules httpapi.Rules
	rules.Check(*p != Preferences{}, "#", "must say something: theme, notifications, units or language")
	if p.Theme != nil {
		rules.OneOf("#/theme", *p.Theme, themes)
	}
	if p.Units != nil {
		rules.OneOf("#/units", *p.Units, units)
	}
	rules.Check(p.Language == nil || language.MatchString(*p.Language), "#/language", "must be a language such as en or de-AT")
	return rules
}

func (s *Service) postPreferences(w http.ResponseWriter, r *http.Request) {
	var wish Preferences
	if !httpapi.ReadBody(w, r, maxBody, &wish) {
		return
	}
	principal, _ := auth.PrincipalOf(r.Context())
	line, err := s.savePreferences(r, principal.Subject, wish)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	httpapi.Line(w, http.StatusOK, line)
}

func (s *Service) savePreferences(r *http.Request, id string, wish Preferences) ([]byte, error) {
	ctx := r.Context()
	// Who is shut out may not write; the cache knows of most who are not.
	if _, err := s.profile(ctx, id); err != nil {
		return nil, err
	}
	text, err := json.Marshal(wish)
	if err != nil {
		return nil, err
	}
	user, err := s.dependencies.Store.SavePreferences(ctx, id, text)
	if err != nil {
		return nil, err
	}
	// What is written is written: an old value elsewhere ends with its TTL.
	if err := s.dependencies.Cache.Publish(ctx, cache.ProfileUpdate, id); err != nil {
		s.log.WarnContext(ctx, "other processes may show the old preferences for a while", "error", err)
	}
	return encode(user)
}
