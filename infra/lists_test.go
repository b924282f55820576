package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/infra/config"
)

// A different order of a list changes nothing: no resource gets a new name or moves to another
// zone. Lists in the order of a preference, such as tiers.NAME.instanceTypes, are not part of this
// test.
func TestOrderOfListsChangesNothing(t *testing.T) {
	const (
		cluster = `{"admins":[ADMINS],"publicAccessCidrs":[PUBLIC],"privateAccessCidrs":[PRIVATE],"privateAccessSecurityGroups":[GROUPS],"zones":[ZONES]}`
		network = `{"cidr":"10.20.0.0/16","natGateways":"single","endpoints":"single","zones":[NETWORK]}`
	)
	lists := map[string][]string{
		"ADMINS":    {`"arn:aws:iam::123456789012:role/b"`, `"arn:aws:iam::123456789012:role/a"`, `"arn:aws:iam::123456789012:user/c"`},
		"PUBLIC":    {`"203.0.113.0/25"`, `"198.51.100.0/24"`},
		"PRIVATE":   {`"10.99.0.0/16"`, `"10.98.0.0/16"`},
		"GROUPS":    {`"sg-0123456789abcdef0"`, `"sg-0123456789abcdef1"`},
		"ZONES":     {`"us-east-1b"`, `"us-east-1c"`},
		"NETWORK":   {`"us-east-1d"`, `"us-east-1b"`, `"us-east-1a"`, `"us-east-1c"`},
		"PLATFORMS": {`"linux/amd64"`, `"linux/arm64"`},
		"IGNORED":   {`"audited"`, `"owner"`},
	}
	fillLists := func(reversed bool) map[string]string {
		values := map[string]string{
			config.Project + ":cluster": cluster, config.Project + ":network": network, config.Project + ":images": `{"platforms":[PLATFORMS]}`,
			"aws:ignoreTags": `{"keys":[IGNORED]}`,
		}
		for key, text := range values {
			for name, items := range lists {
				items = slices.Clone(items)
				if reversed {
					slices.Reverse(items)
				}
				text = strings.ReplaceAll(text, "["+name+"]", "["+strings.Join(items, ",")+"]")
			}
			values[key] = text
		}
		return values
	}
	describeResources := func(reversed bool) []string {
		var descriptions []string
		for _, r := range deployStackWith(t, "prod", fillLists(reversed)) {
			properties, err := json.Marshal(sortLists(r.Properties))
			require.NoError(t, err)
			descriptions = append(descriptions, r.URN+" "+string(properties))
		}
		slices.Sort(descriptions)
		return descriptions
	}
	require.Equal(t, describeResources(false), describeResources(true))
}

// sortLists returns a copy of value in which the items of every list are in the order of their
// texts.
func sortLists(value any) any {
	switch v := value.(type) {
	case map[string]any:
		sorted := map[string]any{}
		for key, item := range v {
			sorted[key] = sortLists(item)
		}
		return sorted
	case []any:
		sorted := make([]any, len(v))
		for i, item := range v {
			sorted[i] = sortLists(item)
		}
		slices.SortFunc(sorted, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return sorted
	case string: // a text with a list, such as the recorded zones
		if strings.Contains(v, ", ") {
			items := strings.Split(v, ", ")
			slices.Sort(items)
			return strings.Join(items, ", ")
		}
	}
	return value
}
