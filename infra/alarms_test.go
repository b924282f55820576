package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/infra/config"
)

// Each CloudWatch alarm that a stack may have links to its section of the runbook, and each section
// has an alarm. The alarm's description is the only text in a notification that says what to do.
func TestEachAlarmLinksToItsRunbook(t *testing.T) {
	page, ok := strings.CutPrefix(scaling.AlarmRunbook, "https://github.com/progressive-framework/platform/blob/main/")
	require.True(t, ok)
	text, err := os.ReadFile(filepath.Join("..", page))
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			sections[strings.TrimSpace(heading)] = true // the anchor of a heading in lower case without spaces
		}
	}
	linked := map[string]bool{}
	for _, owner := range []string{"clusterAutoscaler", "scalingPolicies"} {
		// Burstable classes have one more alarm: for CPU credits.
		stack, err := config.Load("prod", map[string]string{
			"aws:region":                        "us-east-1",
			"progressive-framework:environment": "prod",
			"progressive-framework:account":     "123456789012",
			"progressive-framework:network":     `{"cidr":"10.20.0.0/16","zones":["us-east-1a","us-east-1b","us-east-1c"]}`,
			"progressive-framework:auth":        `{"issuer":"a","audience":"b","jwksUrl":"https://a.example/jwks"}`,
			"progressive-framework:edge":        `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws:sns:us-east-1:123456789012:alarms"}`,
			"progressive-framework:cluster":     `{"admins":["arn:aws:iam::123456789012:role/operators"],"publicAccessCidrs":["198.18.0.0/24"]}`,
			"progressive-framework:postgres":    `{"instanceClass":"db.t4g.large"}`,
			"progressive-framework:redis":       `{"nodeType":"cache.t4g.medium"}`,
			"progressive-framework:mongo":       `{"kind":"managed","instanceClass":"db.t4g.medium"}`,
			"progressive-framework:tiers":       `{"web":{"capacityOwner":"` + owner + `"},"application":{"capacityOwner":"` + owner + `"}}`,
		})
		require.NoError(t, err)
		resources, err := deployMocked(t, stack)
		require.NoError(t, err)
		for _, r := range resources {
			if r.Type != "aws:cloudwatch/metricAlarm:MetricAlarm" {
				continue
			}
			description := r.Inputs["alarmDescription"].StringValue()
			require.LessOrEqual(t, len(description), 1024, "the limit of CloudWatch")
			_, section, found := strings.Cut(description, scaling.AlarmRunbook+"#")
			require.True(t, found, "%s has no link to its runbook: %s", r.Name, description)
			require.Contains(t, r.Inputs["name"].StringValue(), section)
			linked[section] = true
		}
	}
	require.Equal(t, sections, linked)
}
