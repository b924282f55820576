package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	eventRuleType   = "aws:cloudwatch/eventRule:EventRule"
	eventTargetType = "aws:cloudwatch/eventTarget:EventTarget"
)

// Limits of EventBridge (eventbridge/latest/userguide/eb-quota.html).
const (
	maxEventPattern = 2048 // characters; AWS can raise this quota
	maxTargets      = 5    // targets of one rule
)

// maxEventName is the maximum length of a rule's name
// (eventbridge/latest/APIReference/API_PutRule.html).
const maxEventName = 64

const noOtherBus = "other event buses are not supported yet"

var (
	toEventRule    = &Ref{To: []string{eventRuleType}, By: []string{"name"}, Noun: "rule", Missing: "ResourceNotFoundException", InUseCode: "ValidationException"}
	checkEventName = all(length(1, maxEventName), pattern(`[0-9A-Za-z_.-]+`, "letters, digits and . - _"))
)

var _ = registerRows(
	&Row{
		Token:  eventRuleType,
		Source: "events/rule.go", Page: "eventbridge/latest/APIReference/API_PutRule.html",
		Label: "EventBridge Rule", ID: "{name}", NotFound: "ResourceNotFoundException", Put: true,
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: maxEventName},
		Props: Props{
			"name":               {Replace: true, Computed: true, Valid: checkEventName},
			"namePrefix":         {Replace: true, Computed: true, Valid: all(length(1, maxEventName-26), checkEventName)},
			"description":        {},
			"eventPattern":       {Required: true, JSON: true, Valid: checkEventPattern},
			"eventBusName":       {Replace: true, Default: "default", Enum: []string{"default"}},
			"state":              {Computed: true},
			"forceDestroy":       {Default: false},
			"isEnabled":          {Computed: true, Refuse: "is deprecated; use state"},
			"scheduleExpression": {Refuse: "schedules are not supported yet"},
			"roleArn":            {Refuse: noOtherBus},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"},
		Fill: func(c *Call) error {
			c.Out.setDefaults(map[string]any{"state": "ENABLED"})
			c.Out["isEnabled"] = c.Out.String("state") == "ENABLED"
			return nil
		},
	},
	&Row{
		Token:  eventTargetType,
		Source: "events/target.go", Page: "eventbridge/latest/APIReference/API_PutTargets.html",
		Label: "EventBridge Target", ID: "{rule}-{targetId}", NotFound: "ResourceNotFoundException", Put: true,
		Props: Props{
			"rule": {Replace: true, Ref: toEventRule},
			// Without an id, the provider generates one. If AWS's response is lost, the
			// retry then creates a second target. So the id is required here.
			"targetId":     {Replace: true, Required: true, Valid: checkEventName},
			"arn":          {Valid: checkARN, Ref: toQueueARN},
			"eventBusName": {Replace: true, Default: "default", Enum: []string{"default"}},
			"forceDestroy": {Default: false},
			"roleArn":      {Refuse: "a queue is reached by its own policy"},
		}.with(refusedProps("is not supported yet; the target is a queue that gets the whole event", "",
			"appsyncTarget", "batchTarget", "deadLetterConfig", "ecsTarget", "httpTarget", "input", "inputPath", "inputTransformer", "kinesisTarget",
			"redshiftTarget", "retryPolicy", "runCommandTargets", "sagemakerPipelineTarget", "sqsTarget")),
		Verify: verifyEventTarget,
	},
)

// checkEventPattern returns EventBridge's message for an invalid pattern, or "" if the pattern
// is valid. A pattern has objects and arrays of values, and no plain values
// (eventbridge/latest/userguide/eb-event-patterns.html).
func checkEventPattern(v any) string {
	s, _ := v.(string)
	if len(s) > maxEventPattern {
		return fmt.Sprintf("has %d characters; AWS allows %d", len(s), maxEventPattern)
	}
	var pattern map[string]any
	if err := json.Unmarshal([]byte(s), &pattern); err != nil {
		return fmt.Sprintf("InvalidEventPatternException: Event pattern is not valid. Reason: %v", err)
	}
	return checkPatternObject("", pattern)
}

// checkPatternObject returns EventBridge's message for an invalid object in a pattern, or "" if
// the object is valid. location is the end of the message for an empty object, such as
// " in detail". It is "" for the pattern itself.
func checkPatternObject(location string, pattern map[string]any) string {
	const invalid = "InvalidEventPatternException: Event pattern is not valid. Reason: "
	if len(pattern) == 0 {
		return invalid + "Empty objects are not allowed" + location
	}
	for _, key := range slices.Sorted(maps.Keys(pattern)) {
		switch v := pattern[key].(type) {
		case map[string]any:
			if reason := checkPatternObject(" in "+key, v); reason != "" {
				return reason
			}
		case []any:
			if len(v) == 0 {
				return invalid + fmt.Sprintf("Empty arrays are not allowed: %q", key)
			}
		default:
			return invalid + fmt.Sprintf("%q must be an object or an array", key)
		}
	}
	return ""
}

// verifyEventTarget returns an error if a rule has too many targets. It also returns an error
// if the policy of the queue does not allow the rule to send events. AWS accepts such a
// target and then drops each event. Source:
// eventbridge/latest/userguide/eb-troubleshooting.html, "My rule ran but I don't see any
// messages sent to my Amazon SQS queue".
func verifyEventTarget(c *Call) error {
	rule, _ := c.referencedObject("rule")
	otherTargets := 0
	c.Tx.Each(c.scope(c.Row), eventTargetType, func(o store.Object) bool {
		if o.ID != c.ID && Object(o.State).String("rule") == rule.ID {
			otherTargets++
		}
		return true
	})
	if otherTargets >= maxTargets {
		return refuse("LimitExceededException", "The requested resource exceeds the maximum number allowed: a rule has %d targets", maxTargets)
	}
	queue, _ := c.referencedObject("arn")
	if ruleARN := Object(rule.State).String("arn"); !c.queueAccepts(queue, "events.amazonaws.com", ruleARN) {
		return refuse("ValidationException", "the policy of %s does not allow events.amazonaws.com to send messages for %s: AWS would accept the target and "+
			"drop every event; give the queue a policy, and let the target depend on it", queue.ID, ruleARN)
	}
	return nil
}
