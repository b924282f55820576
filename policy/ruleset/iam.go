package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// statement is one statement of an IAM policy document.
type statement struct{ value.Node }

// statements returns the statements of a policy document.
func statements(document value.Node) value.List[statement] {
	return value.As[value.List[statement]](asList(document.JSON().Get("Statement")))
}

// asList returns a field of a policy document as a list. IAM also accepts a single value
// without a list.
func asList(n value.Node) value.Node {
	switch raw := n.Raw().(type) {
	case string, map[string]any:
		return value.New([]any{raw})
	}
	return n
}

// stringList returns a field of the statement as a list of strings.
func (s statement) stringList(name string) value.List[value.String] {
	return value.As[value.List[value.String]](asList(s.Get(name)))
}

// isAllow reports whether the statement's effect is Allow, and isDeny whether it is Deny.
func (s statement) isAllow() value.Truth { return value.As[value.String](s.Get("Effect")).Is("Allow") }
func (s statement) isDeny() value.Truth  { return value.As[value.String](s.Get("Effect")).Is("Deny") }

// coversEveryResource reports whether the statement is for all resources (*).
func (s statement) coversEveryResource() value.Truth {
	return value.HasText(s.stringList("Resource"), "*")
}

// hasAction reports whether test is true for one of the statement's actions.
func (s statement) hasAction(test func(string) bool) value.Truth {
	return s.stringList("Action").Any(func(a value.String) value.Truth { return a.Satisfies(test) })
}

// coversEverybody reports whether the statement is for all principals (*).
func (s statement) coversEverybody() value.Truth {
	accounts := value.As[value.List[value.String]](asList(s.At("Principal.AWS")))
	return value.Any(value.As[value.String](s.Get("Principal")).Is("*"), value.HasText(accounts, "*"))
}

// trustsIssuer reports whether the statement trusts the tokens of an identity provider, such as
// GitHub.
func (s statement) trustsIssuer() value.Truth { return s.At("Principal.Federated").IsSet() }

// hasExactAudienceAndSubject reports whether the statement compares the audience and the subject of
// a token exactly.
func (s statement) hasExactAudienceAndSubject() value.Truth {
	exact := s.At("Condition.StringEquals")
	if !exact.Known() {
		return value.Unknown
	}
	audience, subject := false, false
	if keys, ok := exact.Raw().(map[string]any); ok {
		for key := range keys {
			audience = audience || strings.HasSuffix(key, ":aud")
			subject = subject || strings.HasSuffix(key, ":sub")
		}
	}
	return value.FromBool(audience && subject)
}

// readPrefixes are the prefixes of actions that only read.
var readPrefixes = []string{"Describe", "List", "Get", "BatchGet", "Check", "Lookup"}

// mayChange reports whether an action may change something.
func mayChange(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	for _, prefix := range readPrefixes {
		if strings.HasPrefix(verb, prefix) {
			return false
		}
	}
	return true
}

// unscopedActions are actions that IAM can't limit to a resource (AWS Service Authorization
// Reference). A statement may allow them on all resources.
var unscopedActions = map[string]bool{
	"logs:DescribeLogGroups": true, "ecr:GetAuthorizationToken": true, "ssm:UpdateInstanceInformation": true,
}

// typesWithoutUse are the types of resources that refer to a role without using it. For example, a
// Secret with the name of a role gives nobody the permissions of the role.
var typesWithoutUse = []string{awsview.IamRolePolicy{}.Token(), awsview.IamRolePolicyAttachment{}.Token(), k8sview.Secret{}.Token()}

// policyTypes are the types of IAM policies that a stack writes.
var policyTypes = []string{awsview.IamRolePolicy{}.Token(), awsview.IamPolicy{}.Token()}

// policyStatements returns the statements of the subject, which is an IAM policy.
func policyStatements(s *rule.Subject) value.List[statement] {
	return statements(s.View().Get("policy"))
}

var iam = []*rule.Rule{
	{
		ID: "iam-no-administrator", Title: "No policy allows everything",
		Why: "Whoever gets the role gets the account.",
		Fix: "components/iam, the role's statements", Standards: []string{"FSBP IAM.1", "CIS AWS 1.16"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(policyStatements(s).All(func(st statement) value.Truth {
				return value.Not(value.All(st.isAllow(), st.coversEveryResource(), st.hasAction(func(a string) bool { return a == "*" })))
			}), "a statement allows * on *")
		}, policyTypes...),
	},
	{
		ID: "iam-no-service-wildcard", Title: "No policy allows a whole service",
		Why: "New actions of the service are allowed without a review.",
		Fix: "components/iam, the role's statements", Standards: []string{"FSBP IAM.21"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(policyStatements(s).All(func(st statement) value.Truth {
				return value.Not(value.All(st.isAllow(), st.hasAction(func(a string) bool { return strings.HasSuffix(a, ":*") })))
			}), "a statement allows every action of a service")
		}, policyTypes...),
	},
	{
		ID: "iam-changes-scoped", Title: "Actions that change something name their resources",
		Why: "An attacker with the role could change resources of other programs.",
		Fix: "components/iam, the statement's Resources or Conditions", Standards: []string{"cdk-nag IAM5", "WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(policyStatements(s).All(func(st statement) value.Truth {
				writes := st.hasAction(func(a string) bool { return mayChange(a) && !unscopedActions[a] })
				return value.Not(value.All(st.isAllow(), st.coversEveryResource(), writes, value.Not(st.Get("Condition").IsSet())))
			}), "a statement allows a change on every resource, without a condition")
		}, policyTypes...),
	},
	{
		ID: "iam-trust-named", Title: "Roles name who may assume them",
		Why: "Every AWS account could become the role.",
		Fix: "components/iam, Trust", Standards: []string{"FSBP IAM.1"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.IamRole) {
			s.Must(statements(v.AssumeRolePolicy()).All(func(st statement) value.Truth {
				return value.Not(value.All(st.isAllow(), st.coversEverybody()))
			}), "everybody may assume the role")
		}),
	},
	{
		ID: "iam-trust-subject", Title: "Roles for another issuer's tokens name the audience and the subject",
		Why: "Every repository at GitHub could become the role.",
		Fix: "infra/deployer, the trust documents", Standards: []string{"WA SEC02"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.IamRole) {
			s.Must(statements(v.AssumeRolePolicy()).All(func(st statement) value.Truth {
				return value.Not(value.All(st.isAllow(), st.trustsIssuer(), value.Not(st.hasExactAudienceAndSubject())))
			}), "a statement trusts an issuer without an exact audience and subject (StringEquals)")
		}),
	},
	{
		ID: "iam-no-administrator-attached", Title: "No role has AWS's administrator policies",
		Why: "Whoever gets the role gets the account.",
		Fix: "components/iam, ManagedPolicies", Standards: []string{"CIS AWS 1.16"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.IamRolePolicyAttachment) {
			s.Must(value.Not(v.PolicyArn().Satisfies(func(arn string) bool {
				return strings.HasSuffix(arn, "/AdministratorAccess") || strings.HasSuffix(arn, "/PowerUserAccess") || strings.HasSuffix(arn, "/IAMFullAccess")
			})), "policyArn is %s", v.PolicyArn().Text())
		}),
	},
	{
		ID: "iam-role-used", Title: "Each role has a use in the stack",
		Why: "Nobody watches a role that nothing uses, and an attacker can use it.",
		Fix: "remove the role, or give it to its user", Standards: []string{"FSBP IAM.22"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.IamRole) {
			// A role for the tokens of an identity provider is used from outside the stack.
			usedOutside := statements(s.View().Get("assumeRolePolicy")).Any(statement.trustsIssuer)
			used := s.Graph.AllReferrers(s.Resource, typesWithoutUse...).Exists()
			s.Must(value.Any(usedOutside, used), "no resource refers to it")
		}),
	},
	{
		ID: "iam-role-has-permissions", Title: "Each role has a permission",
		Why: "A service with an empty role fails at its first call, long after the up.",
		Fix: "components/iam, Statements or ManagedPolicies", Standards: []string{"WA SEC03"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.Across(func(s *rule.Subject, v awsview.IamRole) {
			s.Must(value.Any(
				rule.Referrers[awsview.IamRolePolicy](s.Graph, s.Resource, "role").Exists(),
				rule.Referrers[awsview.IamRolePolicyAttachment](s.Graph, s.Resource, "role").Exists(),
				v.InlinePolicies().IsSet(), v.ManagedPolicyArns().IsSet(),
			), "no policy is attached to it")
		}),
	},
}
