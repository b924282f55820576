// Package waiver owns the configuration of rules in a stack: the levels that the stack raises,
// and the violations that the stack accepts for a time. It reads the key
// progressive-framework:policy.
package waiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/progressive-framework/platform/policy/rule"
)

// Key is the configuration key that this package reads. EnvironmentKey is the key with the
// name of the stack's environment.
const (
	Key            = "progressive-framework:policy"
	EnvironmentKey = "progressive-framework:environment"
)

// MaxAge is the longest time from now to the end of a waiver. It makes somebody review
// each waiver twice a year.
const MaxAge = 180 * 24 * time.Hour

// ExpiryNotice is how long before its end a waiver is listed in reports.
const ExpiryNotice = 14 * 24 * time.Hour

// Config is the configuration of rules in a stack.
type Config struct {
	// Levels are the levels that the stack raises, by the rule's ID.
	Levels map[string]string `json:"levels"`
	// Waivers are the accepted violations.
	Waivers []Waiver `json:"waivers"`
	// Cost is the budget, and the estimates of usage.
	Cost rule.Spending `json:"cost"`
}

// Waiver accepts the violations of one rule by some resources for a time.
type Waiver struct {
	Rule string `json:"rule"`
	// Resource is a glob on the resource's name in Pulumi; * is any text.
	Resource string `json:"resource"`
	Reason   string `json:"reason"`
	// Owner is the person or team that removes the cause.
	Owner string `json:"owner"`
	// Until is the last day, such as 2027-03-31.
	Until string `json:"until"`
}

// Parse reads the value of Key. The empty string is an empty configuration.
func Parse(raw string) (Config, error) {
	var config Config
	if strings.TrimSpace(raw) == "" {
		return config, nil
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return Config{}, fmt.Errorf("%s: %w; docs/policy.md describes the key", Key, err)
	}
	return config, nil
}

// end returns the end of the waiver's last day.
func (w Waiver) end() (time.Time, error) {
	day, _, _ := strings.Cut(w.Until, "T") // a YAML parser may have read the day as a time
	start, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, fmt.Errorf("until: %q must be a date such as 2027-03-31", w.Until)
	}
	return start.AddDate(0, 0, 1), nil
}

// Matches reports whether the waiver is for a rule and a resource.
func (w Waiver) Matches(ruleID, resource string) bool {
	if w.Rule != ruleID {
		return false
	}
	parts := strings.Split(w.Resource, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	re, err := regexp.Compile("^" + strings.Join(parts, ".*") + "$")
	return err == nil && re.MatchString(resource)
}

// Problems returns what is wrong with the waiver now. findRule returns the rule
// with an ID, or nil. A waiver with a problem has no effect.
func (w Waiver) Problems(now time.Time, findRule func(id string) *rule.Rule) []string {
	var problems []string
	if findRule(w.Rule) == nil {
		problems = append(problems, fmt.Sprintf("rule: there is no rule %q; bin/policy rules lists them", w.Rule))
	}
	if strings.TrimSpace(w.Resource) == "" {
		problems = append(problems, "resource: name the resource, or use * for all of them")
	}
	if strings.TrimSpace(w.Reason) == "" {
		problems = append(problems, "reason: say why the violation is acceptable")
	}
	if strings.TrimSpace(w.Owner) == "" {
		problems = append(problems, "owner: say who removes the cause")
	}
	end, err := w.end()
	switch {
	case err != nil:
		problems = append(problems, err.Error())
	case !now.Before(end):
		problems = append(problems, fmt.Sprintf("until: it expired on %s; remove the cause of the violation, or set a later day", w.Until))
	case end.Sub(now) > MaxAge+24*time.Hour: // end is a day after the start of the last day
		problems = append(problems, fmt.Sprintf("until: %s is more than 180 days ahead", w.Until))
	}
	return problems
}

// ExpiresSoon reports whether the waiver ends within ExpiryNotice.
func (w Waiver) ExpiresSoon(now time.Time) bool {
	end, err := w.end()
	return err == nil && now.Before(end) && end.Sub(now) <= ExpiryNotice
}

func (w Waiver) String() string { return fmt.Sprintf("waiver of %s for %s", w.Rule, w.Resource) }

// Level returns the rule's level in an environment. The configuration can raise the
// level, but can't lower it. Only a waiver, with its reason and end, accepts a violation.
func (c Config) Level(r *rule.Rule, environment string) rule.Level {
	level := r.Levels.In(environment)
	if raised, err := rule.ParseLevel(c.Levels[r.ID]); err == nil {
		level = max(level, raised)
	}
	return level
}

// LevelProblems returns what is wrong with the configured levels. findRule returns the rule
// with an ID, or nil.
func (c Config) LevelProblems(environment string, findRule func(id string) *rule.Rule) []string {
	var problems []string
	for id, name := range c.Levels {
		r := findRule(id)
		level, err := rule.ParseLevel(name)
		switch {
		case r == nil:
			problems = append(problems, fmt.Sprintf("levels: there is no rule %q; bin/policy rules lists them", id))
		case err != nil:
			problems = append(problems, fmt.Sprintf("levels.%s: %v", id, err))
		case level < r.Levels.In(environment):
			problems = append(problems, fmt.Sprintf("levels.%s: %s is weaker than the rule's own level, %s; waive the rule instead", id, name, r.Levels.In(environment)))
		}
	}
	return problems
}
