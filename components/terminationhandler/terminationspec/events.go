// Package terminationspec owns the events that AWS Node Termination Handler receives, its
// image, its environment, and its permissions in Kubernetes and AWS. It imports no SDK. The resources are in
// package terminationhandler.
package terminationspec

import (
	"encoding/json"
	"fmt"
)

// Event is a type of event that the handler processes.
type Event struct {
	// Name is part of the name of the EventBridge rule.
	Name string
	// Description is a phrase about the event.
	Description string
	// Pattern is the event pattern of the rule, as JSON.
	Pattern string
}

// pattern is an event pattern (EventBridge User Guide, "Event patterns").
type pattern struct {
	Source     []string            `json:"source"`
	DetailType []string            `json:"detail-type"`
	Detail     map[string][]string `json:"detail,omitempty"`
}

// Events lists the events of the README of aws/aws-node-termination-handler, "Create Amazon
// EventBridge Rules", for the Auto Scaling Groups of one cluster.
//
// EC2's rebalance recommendations are left out. They come early and often, and the handler would
// evict pods before another node exists. The group handles them instead (capacity rebalancing). The
// group first launches the new instance, and then terminates the old one through its lifecycle
// hook.
func Events(groups []string) ([]Event, error) {
	if len(groups) == 0 {
		return nil, fmt.Errorf("termination handler: no Auto Scaling Groups: must have at least one, because without names its rule matches every group of the account")
	}
	var events []Event
	for _, e := range []struct {
		name, description string
		pattern           pattern
	}{
		{"lifecycle", "An instance of a group starts or ends", pattern{
			Source:     []string{"aws.autoscaling"},
			DetailType: []string{"EC2 Instance-launch Lifecycle Action", "EC2 Instance-terminate Lifecycle Action"},
			Detail:     map[string][]string{"AutoScalingGroupName": groups},
		}},
		// EC2's events do not name the group. The handler reads the tags of the instance.
		{"spot", "EC2 takes a spot instance back in two minutes", pattern{
			Source: []string{"aws.ec2"}, DetailType: []string{"EC2 Spot Instance Interruption Warning"},
		}},
		{"state", "An instance is being stopped or terminated", pattern{
			Source: []string{"aws.ec2"}, DetailType: []string{"EC2 Instance State-change Notification"},
			Detail: map[string][]string{"state": {"stopping", "shutting-down"}},
		}},
		{"maintenance", "AWS plans maintenance of an instance", pattern{
			Source: []string{"aws.health"}, DetailType: []string{"AWS Health Event"},
			Detail: map[string][]string{"service": {"EC2"}, "eventTypeCategory": {"scheduledChange"}},
		}},
	} {
		text, err := json.Marshal(e.pattern)
		if err != nil {
			return nil, fmt.Errorf("event pattern %s: %w", e.name, err)
		}
		events = append(events, Event{Name: e.name, Description: e.description, Pattern: string(text)})
	}
	return events, nil
}
