package rules

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// logContext is the condition key with which a key policy refers to log groups.
const logContext = "kms:EncryptionContext:aws:logs:arn"

// keyAllows reports whether the policy of a key allows a service to do an action for a log
// group. keyAllows evaluates conditions on the log group, and assumes that all other
// conditions are true.
func keyAllows(policy, service, action, logGroupARN string) bool {
	var doc struct{ Statement any }
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return false
	}
	return slices.ContainsFunc(listOf(doc.Statement), func(s any) bool {
		statement, _ := s.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		forService := statement["Principal"] == "*" || slices.Contains(listOf(principal["Service"]), any(service))
		return statement["Effect"] == "Allow" && forService && matchesAny(statement["Action"], action) && conditionHolds(statement["Condition"], logContext, logGroupARN)
	})
}

// conditionHolds reports whether a statement's conditions on a condition key allow a value.
// It does not evaluate conditions on other keys.
func conditionHolds(condition any, conditionKey, value string) bool {
	operators, _ := condition.(map[string]any)
	for _, keys := range operators {
		values, _ := keys.(map[string]any)
		for key, want := range values {
			if strings.EqualFold(key, conditionKey) && !matchesAny(want, value) {
				return false
			}
		}
	}
	return true
}

// matchesAny reports whether a value matches one of the patterns. patterns is a text or a
// list of texts, with the wildcards * and ?. It ignores letter case.
func matchesAny(patterns any, value string) bool {
	return slices.ContainsFunc(listOf(patterns), func(p any) bool {
		text, _ := p.(string)
		expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(text))
		matched, err := regexp.MatchString("(?i)^(?:"+expr+")$", value)
		return err == nil && matched
	})
}
