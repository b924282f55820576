package waiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/policy/rule"
)

var (
	now      = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	findRule = func(id string) *rule.Rule {
		if id == "a-rule" {
			return &rule.Rule{ID: id, Levels: rule.ProdOnly}
		}
		return nil
	}
	validWaiver = Waiver{Rule: "a-rule", Resource: "db-*", Reason: "a second instance comes with the launch", Owner: "platform", Until: "2027-01-31"}
)

func TestFaultsNamesTheWrongFieldOfAWaiver(t *testing.T) {
	for _, tc := range []struct {
		reason string
		change func(*Waiver)
		want   string
	}{
		{"a complete waiver that has not expired", func(*Waiver) {}, ""},
		{"today is the last day", func(w *Waiver) { w.Until = "2026-11-28" }, ""},
		{"yesterday was the last day", func(w *Waiver) { w.Until = "2026-11-27" }, "expired on 2026-11-27"},
		{"180 days are allowed", func(w *Waiver) { w.Until = "2027-05-27" }, ""},
		{"181 days are not allowed", func(w *Waiver) { w.Until = "2027-05-28" }, "more than 180 days ahead"},
		{"YAML reads a day as a time", func(w *Waiver) { w.Until = "2027-01-31T00:00:00Z" }, ""},
		{"a text that is not a day", func(w *Waiver) { w.Until = "soon" }, `"soon" must be a date`},
		{"no reason", func(w *Waiver) { w.Reason = " " }, "reason:"},
		{"no owner", func(w *Waiver) { w.Owner = "" }, "owner:"},
		{"no resource", func(w *Waiver) { w.Resource = "" }, "resource:"},
		{"a rule that does not exist", func(w *Waiver) { w.Rule = "another" }, `there is no rule "another"`},
	} {
		w := validWaiver
		tc.change(&w)
		problems := w.Problems(now, findRule)
		if tc.want == "" {
			require.Empty(t, problems, tc.reason)
			continue
		}
		require.Len(t, problems, 1, tc.reason)
		require.Contains(t, problems[0], tc.want, tc.reason)
	}
}

func TestMatchesComparesRuleAndGlob(t *testing.T) {
	for _, tc := range []struct {
		reason, glob, name string
		want               bool
	}{
		{"a star is any text", "db-*", "db-instance", true},
		{"a star also matches an empty text", "db-*", "db-", true},
		{"the whole name must fit", "db-*", "my-db-instance", false},
		{"a dot is a dot", "a.b", "axb", false},
		{"a star alone matches everything", "*", "x", true},
		{"a star in the middle", "a*z", "abcz", true},
	} {
		w := validWaiver
		w.Resource = tc.glob
		require.Equal(t, tc.want, w.Matches("a-rule", tc.name), tc.reason)
		require.False(t, w.Matches("another", tc.name), "another rule")
	}
}

// ExpiryNotice is 14 days. ExpiresSoon is false for a waiver that has already expired.
func TestExpiresSoonIsTrueInTheLastTwoWeeks(t *testing.T) {
	for until, want := range map[string]bool{"2026-11-27": false, "2026-11-28": true, "2026-12-11": true, "2026-12-13": false} {
		w := validWaiver
		w.Until = until
		require.Equal(t, want, w.ExpiresSoon(now), until)
	}
}

func TestConfigurationRaisesLevelsAndNeverLowersThem(t *testing.T) {
	r := findRule("a-rule")
	for _, tc := range []struct {
		reason, environment, level string
		want                       rule.Level
		problem                    string
	}{
		{"the rule's own level", "staging", "", rule.Advisory, ""},
		{"a raised level", "staging", "mandatory", rule.Mandatory, ""},
		{"a level can't be lowered", "prod", "advisory", rule.Mandatory, "weaker than the rule's own level"},
		{"a rule can't be disabled", "staging", "disabled", rule.Advisory, "weaker than the rule's own level"},
		{"an unknown environment is as strict as prod", "load", "", rule.Mandatory, ""},
		{"an unknown level", "staging", "loud", rule.Advisory, `levels.a-rule: level "loud" is unknown: must be advisory or mandatory; set one of them, or remove the level`},
	} {
		c := Config{Levels: map[string]string{}}
		if tc.level != "" {
			c.Levels["a-rule"] = tc.level
		}
		require.Equal(t, tc.want, c.Level(r, tc.environment), tc.reason)
		problems := c.LevelProblems(tc.environment, findRule)
		if tc.problem == "" {
			require.Empty(t, problems, tc.reason)
		} else {
			require.Contains(t, problems[0], tc.problem, tc.reason)
		}
	}
	require.Contains(t, Config{Levels: map[string]string{"x": "mandatory"}}.LevelProblems("prod", findRule)[0], `there is no rule "x"`)
}

func TestParseRefusesUnknownFields(t *testing.T) {
	c, err := Parse(`{"waivers": [{"rule": "a", "resource": "*", "reason": "r", "owner": "o", "until": "2027-01-01"}]}`)
	require.NoError(t, err)
	require.Equal(t, "a", c.Waivers[0].Rule)
	c, err = Parse("")
	require.NoError(t, err)
	require.Empty(t, c)
	_, err = Parse(`{"waiver": []}`)
	require.ErrorContains(t, err, "waiver", "a misspelled field is an error, because it would waive nothing")
}
