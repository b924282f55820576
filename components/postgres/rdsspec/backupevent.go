package rdsspec

import (
	"encoding/json"
	"fmt"
)

// FinishedBackupPattern returns the EventBridge pattern of the event "Finished DB instance backup" of
// one instance, as JSON. instanceARN is the ARN of the instance. Sources: RDS User Guide, "Amazon RDS
// event categories and event messages", for the id of the event; "Overview of events for Amazon RDS",
// for its form, in which resources has the ARN of the instance.
func FinishedBackupPattern(instanceARN string) (string, error) {
	var pattern struct {
		Source     []string            `json:"source"`
		DetailType []string            `json:"detail-type"`
		Resources  []string            `json:"resources"`
		Detail     map[string][]string `json:"detail"`
	}
	pattern.Source, pattern.DetailType = []string{"aws.rds"}, []string{"RDS DB Instance Event"}
	pattern.Resources = []string{instanceARN}
	pattern.Detail = map[string][]string{"EventID": {"RDS-EVENT-0002"}}
	text, err := json.Marshal(pattern)
	if err != nil {
		return "", fmt.Errorf("event pattern of the backups of %s: %w", instanceARN, err)
	}
	return string(text), nil
}
