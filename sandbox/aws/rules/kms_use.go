package rules

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// logContext is the encryption context of CloudWatch Logs, by which key policies refer
// to log groups.
const logContext = "kms:EncryptionContext:aws:logs:arn"

// keyAllows says whether a key's policy allows a service an action for a log group.
// Conditions on the log group are evaluated; all others count as true.
func keyAllows(policy, service, action, group string) bool {
	var doc struct{ Statement any }
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return false
	}
	return slices.ContainsFunc(listOf(doc.Statement), func(s any) bool {
		statement, _ := s.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		return statement["Effect"] == "Allow" && (statement["Principal"] == "*" || slices.Contains(listOf(principal["Service"]), any(service))) &&
			matchesAny(statement["Action"], action) && conditionHolds(statement["Condition"], group)
	})
}

// conditionHolds says whether a statement's conditions allow a log group. It evaluates
// only conditions on logContext.
func conditionHolds(condition any, group string) bool {
	operators, _ := condition.(map[string]any)
	for _, keys := range operators {
		values, _ := keys.(map[string]any)
		for key, want := range values {
			if strings.EqualFold(key, logContext) && !matchesAny(want, group) {
				return false
			}
		}
	}
	return true
}

// matchesAny says whether a value matches one of the patterns, which may have * and ?.
func matchesAny(patterns any, value string) bool {
	return slices.ContainsFunc(listOf(patterns), func(p any) bool {
		text, _ := p.(string)
		expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(text))
		matched, err := regexp.MatchString("(?i)^(?:"+expr+")$", value)
		return err == nil && matched
	})
}
