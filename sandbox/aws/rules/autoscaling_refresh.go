package rules

import (
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// instanceRefreshKind is the type of an instance refresh in the store. It is not a
// Pulumi resource: `sandbox aws list --owned --json` shows it.
const instanceRefreshKind = "Auto Scaling instance refresh"

var refreshProps = Props{
	"instanceRefresh":                                       {},
	"instanceRefresh.strategy":                              {Enum: []string{"Rolling"}},
	"instanceRefresh.triggers":                              {Set: true, Enum: []string{"tag"}},
	"instanceRefresh.preferences":                           {},
	"instanceRefresh.preferences.minHealthyPercentage":      {Default: 90.0, Valid: numbers(0, 100)},
	"instanceRefresh.preferences.maxHealthyPercentage":      {Default: 100.0, Valid: numbers(100, 200)},
	"instanceRefresh.preferences.instanceWarmup":            {Valid: pattern(`\d+`, "a number of seconds")},
	"instanceRefresh.preferences.checkpointDelay":           {Valid: pattern(`\d+`, "a number of seconds")},
	"instanceRefresh.preferences.checkpointPercentages":     {Valid: numbers(1, 100)},
	"instanceRefresh.preferences.autoRollback":              {},
	"instanceRefresh.preferences.skipMatching":              {Default: false},
	"instanceRefresh.preferences.scaleInProtectedInstances": {Default: "Ignore", Enum: []string{"Refresh", "Ignore", "Wait"}},
	"instanceRefresh.preferences.standbyInstances":          {Default: "Ignore", Enum: []string{"Terminate", "Ignore", "Wait"}},
	"instanceRefresh.preferences.alarmSpecification":        {},
	"instanceRefresh.preferences.alarmSpecification.alarms": {Ref: toAlarm},
}

// checkRefresh checks the preferences by
// AutoScaling/latest/APIReference/API_RefreshPreferences.html and
// autoscaling/ec2/userguide/instance-refresh-rollback.html.
func checkRefresh(in Object, fail Fail) {
	p := in.Object("instanceRefresh").Object("preferences")
	low, high := 90, 100
	if p.Has("minHealthyPercentage") {
		low = p.Int("minHealthyPercentage")
	}
	if p.Has("maxHealthyPercentage") {
		high = p.Int("maxHealthyPercentage")
	}
	if high-low > 100 && p.Known("minHealthyPercentage") && p.Known("maxHealthyPercentage") {
		fail("instanceRefresh.preferences.maxHealthyPercentage", "may be at most 100 above minHealthyPercentage")
	}
	if !p.Bool("autoRollback") {
		return
	}
	spec, at := in.Object("launchTemplate"), "launchTemplate"
	if spec == nil {
		spec, at = in.Object("mixedInstancesPolicy").Object("launchTemplate").Object("launchTemplateSpecification"), mixedSpec
	}
	if version := spec.String("version"); version == "$Latest" || version == "$Default" || (spec != nil && !spec.Has("version")) {
		fail(at+".version", "must be a number where instances are rolled back: $Latest and $Default have nothing to go back to")
	}
}

// refreshInstances records an instance refresh if the provider would start one: after
// a change of the template or of a trigger. There are no instances, so the refresh is
// complete at once.
func (c *Call) refreshInstances() error {
	refresh := c.In.Object("instanceRefresh")
	if refresh == nil {
		return nil
	}
	changed := func(name string) bool { return canonical(c.Old[name], false) != canonical(c.Out[name], false) }
	if !changed("launchTemplate") && !changed("mixedInstancesPolicy") && !(slices.Contains(refresh.Strings("triggers"), "tag") && changed("tags")) {
		return nil
	}
	id, err := randomUUID()
	if err != nil {
		return err
	}
	now := c.Now().UTC()
	c.Tx.Put(store.Object{
		Key: store.Key{Scope: c.scope(c.Row), Type: instanceRefreshKind, ID: id}, Owner: c.ID, Created: now,
		State: Object{
			"autoscalingGroupName": c.ID, "status": "Successful", "startTime": now.Format(time.RFC3339), "preferences": refresh["preferences"],
			"launchTemplate": c.Out["launchTemplate"], "mixedInstancesPolicy": c.Out["mixedInstancesPolicy"],
		},
	})
	return nil
}
