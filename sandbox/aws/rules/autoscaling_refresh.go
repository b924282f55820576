package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// instanceRefreshKind is the type of an instance refresh in the store. An instance refresh is
// not a Pulumi resource, but `sandbox aws list --owned --json` shows it.
const instanceRefreshKind = "Auto Scaling instance refresh"

// instanceRefreshProps are the rules of a group's instance refresh.
var instanceRefreshProps = Props{
	"instanceRefresh":                                   {},
	"instanceRefresh.strategy":                          {},
	"instanceRefresh.triggers":                          {Set: true, Enum: []string{"tag"}},
	"instanceRefresh.preferences":                       {},
	"instanceRefresh.preferences.minHealthyPercentage":  {Default: 90.0},
	"instanceRefresh.preferences.maxHealthyPercentage":  {Default: 100.0},
	"instanceRefresh.preferences.instanceWarmup":        {Valid: pattern(`\d+`, "a number of seconds")},
	"instanceRefresh.preferences.checkpointDelay":       {Valid: checkSeconds(maxCheckpointDelay)},
	"instanceRefresh.preferences.checkpointPercentages": {},
	// The provider updates the group before it starts the refresh. So AWS would roll back to
	// the group's new version, which is the version that has just failed
	// (hashicorp/terraform-provider-aws, internal/service/autoscaling/group.go).
	"instanceRefresh.preferences.autoRollback":              {Refuse: "goes back to the new version, because the provider updates the group before the refresh; leave it out and set the old version again"},
	"instanceRefresh.preferences.skipMatching":              {Default: false},
	"instanceRefresh.preferences.scaleInProtectedInstances": {Default: "Ignore"},
	"instanceRefresh.preferences.standbyInstances":          {Default: "Ignore"},
	"instanceRefresh.preferences.alarmSpecification":        {},
	"instanceRefresh.preferences.alarmSpecification.alarms": {Max: 10, Ref: toAlarm},
}

// maxCheckpointDelay is the maximum delay in seconds, two days
// (AutoScaling/latest/APIReference/API_RefreshPreferences.html).
const maxCheckpointDelay = 172800

// checkSeconds returns a validator for a text with a number of seconds, at most limit.
func checkSeconds(limit int) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		if n, err := strconv.Atoi(s); err != nil || n < 0 || n > limit {
			return fmt.Sprintf("%q must be a number of seconds from 0 to %d", s, limit)
		}
		return ""
	}
}

// checkCheckpoints checks the checkpoints of an instance refresh. The refresh waits at
// each percentage of replaced instances. The last percentage must be 100, because the
// refresh ends at the last checkpoint.
func checkCheckpoints(p Object, fail Fail) {
	const path = "instanceRefresh.preferences.checkpointPercentages"
	list, _ := p["checkpointPercentages"].([]any)
	if p.Has("checkpointDelay") && !p.Has("checkpointPercentages") {
		fail("instanceRefresh.preferences.checkpointDelay", "belongs to checkpointPercentages")
	}
	last := 0.0
	for _, v := range list {
		n, known := v.(float64)
		if !known {
			return
		}
		if n <= last {
			fail(path, "%v follows %v: the percentages must ascend, and each must be unique", n, last)
			return
		}
		last = n
	}
	if len(list) > 0 && last != 100 {
		fail(path, "the last percentage is %v: the refresh would leave the other instances as they are, so it must be 100", last)
	}
}

// checkInstanceRefresh checks the preferences of an instance refresh. The defaults are in
// AutoScaling/latest/APIReference/API_RefreshPreferences.html.
func checkInstanceRefresh(in Object, fail Fail) {
	p := in.Object("instanceRefresh").Object("preferences")
	minHealthy, maxHealthy := 90, 100
	if p.Has("minHealthyPercentage") {
		minHealthy = p.Int("minHealthyPercentage")
	}
	if p.Has("maxHealthyPercentage") {
		maxHealthy = p.Int("maxHealthyPercentage")
	}
	if maxHealthy-minHealthy > 100 && p.Known("minHealthyPercentage") && p.Known("maxHealthyPercentage") {
		fail("instanceRefresh.preferences.maxHealthyPercentage", "may be at most 100 above minHealthyPercentage")
	}
	checkCheckpoints(p, fail)
}

// recordInstanceRefresh stores the record of an instance refresh if the update requires a
// refresh. A change of the launch template requires a refresh. A change of the tags requires
// one only if the triggers contain "tag". The stand-in has no instances, so the refresh is
// complete immediately.
func (c *Call) recordInstanceRefresh() error {
	refresh := c.In.Object("instanceRefresh")
	if refresh == nil {
		return nil
	}
	changed := func(name string) bool {
		return canonicalText(c.Old[name], keepOrder) != canonicalText(c.Out[name], keepOrder)
	}
	templateChanged := changed("launchTemplate") || changed("mixedInstancesPolicy")
	tagsTrigger := changed("tags") && slices.Contains(refresh.Strings("triggers"), "tag")
	if !templateChanged && !tagsTrigger {
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
