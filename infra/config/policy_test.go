package config

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// The policy pack checks the values below policy. Load reads them, and refuses only a misspelled
// member.
func TestLoadReadsThePolicyKeys(t *testing.T) {
	values := maps.Clone(validValues())
	values[Project+":policy"] = `{"levels":{"log-group-year":"mandatory"},"waivers":[{"rule":"waf-logged","resource":"*","reason":"r","owner":"o","until":"2027-03-31"}]}`
	s, err := Load("prod", values)
	require.NoError(t, err)
	require.Equal(t, []Waiver{{Rule: "waf-logged", Resource: "*", Reason: "r", Owner: "o", Until: "2027-03-31"}}, s.Policy.Waivers)

	values[Project+":policy"] = `{"cost":{"monthlyBudget":5000,"estimates":{"natGB":500}}}`
	s, err = Load("prod", values)
	require.NoError(t, err)
	require.Equal(t, Cost{MonthlyBudget: 5000, Estimates: map[string]int{"natGB": 500}}, s.Policy.Cost)

	values[Project+":policy"] = `{"waivers":[{"rules":"waf-logged"}]}`
	_, err = Load("prod", values)
	require.ErrorContains(t, err, "no such key")
}
