package rules

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// logGroupConditionKey is the condition key of a key policy that has the ARN of a log group as
// its value.
const logGroupConditionKey = "kms:EncryptionContext:aws:logs:arn"

// keyAllows reports whether a statement of a KMS key's policy allows a service to do an action
// for a log group. keyAllows evaluates conditions on the log group, and assumes that all other
// conditions are true. It ignores statements with the effect Deny.
func keyAllows(policy, service, action, logGroupARN string) bool {
	var doc struct{ Statement any }
	if json.Unmarshal([]byte(policy), &doc) != nil {
		return false
	}
	return slices.ContainsFunc(asList(doc.Statement), func(s any) bool {
		statement, _ := s.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		forService := statement["Principal"] == "*" || slices.Contains(asList(principal["Service"]), any(service))
		return statement["Effect"] == "Allow" && forService && matchesAny(statement["Action"], action) && conditionHolds(statement["Condition"], logGroupConditionKey, logGroupARN)
	})
}

// conditionHolds reports whether a statement's conditions on a condition key allow a value.
// It does not evaluate conditions on other keys.
func conditionHolds(condition any, conditionKey, value string) bool {
	byOperator, _ := condition.(map[string]any) // the outer keys are operators, such as ArnLike
	for _, operands := range byOperator {
		patternsByKey, _ := operands.(map[string]any)
		for key, patterns := range patternsByKey {
			if strings.EqualFold(key, conditionKey) && !matchesAny(patterns, value) {
				return false
			}
		}
	}
	return true
}

// matchesAny reports whether a value matches one of the patterns. patterns is a string or a list
// of strings, with the wildcards * and ?. Letter case is ignored.
func matchesAny(patterns any, value string) bool {
	return slices.ContainsFunc(asList(patterns), func(p any) bool {
		text, _ := p.(string)
		expr := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(text))
		matched, err := regexp.MatchString("(?i)^(?:"+expr+")$", value)
		return err == nil && matched
	})
}
