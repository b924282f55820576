package rules

import (
	"strings"

	"github.com/progressive-framework/platform/policy/aws"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// statement is one statement of an IAM policy document.
type statement struct{ value.Node }

// statements are those of a document.
func statements(document value.Node) value.List[statement] {
	return value.As[value.List[statement]](oneOrMany(document.JSON().Get("Statement")))
}

// oneOrMany makes a list of a member that IAM lets be one value.
func oneOrMany(n value.Node) value.Node {
	switch raw := n.Raw().(type) {
	case string, map[string]any:
		return value.New([]any{raw})
	}
	return n
}

func (s statement) texts(name string) value.List[value.String] {
	return value.As[value.List[value.String]](oneOrMany(s.Get(name)))
}

func (s statement) allow() value.Truth { return value.As[value.String](s.Get("Effect")).Is("Allow") }
func (s statement) deny() value.Truth  { return value.As[value.String](s.Get("Effect")).Is("Deny") }

// everyResource tells whether the statement names no resource.
func (s statement) everyResource() value.Truth { return value.HasText(s.texts("Resource"), "*") }

// actions tells whether an action of the statement answers a question.
func (s statement) actions(question func(string) bool) value.Truth {
	return s.texts("Action").Any(func(a value.String) value.Truth { return a.Satisfies(question) })
}

// reading are the beginnings of actions that change nothing.
var reading = []string{"Describe", "List", "Get", "BatchGet", "Check", "Lookup"}

func changes(action string) bool {
	_, verb, _ := strings.Cut(action, ":")
	for _, prefix := range reading {
		if strings.HasPrefix(verb, prefix) {
			return false
		}
	}
	return true
}

// unscoped are actions that change something and for which IAM takes no
// resource (Service Authorization Reference).
var unscoped = map[string]bool{
	"logs:DescribeLogGroups": true, "ecr:GetAuthorizationToken": true, "ssm:UpdateInstanceInformation": true,
}

var policyTypes = []string{aws.IamRolePolicy{}.Token(), aws.IamPolicy{}.Token()}

// document is the policy of the subject.
func document(s *rule.Subject) value.List[statement] {
	return statements(s.View().Get("policy"))
}

var iam = []*rule.Rule{
	{
		ID: "iam-no-administrator", Title: "No policy allows everything",
		Why: "Whoever gets the role gets the account.",
		Fix: "components/iam, the role's statements", Standards: []string{"FSBP IAM.1", "CIS AWS 1.16"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(document(s).All(func(st statement) value.Truth {
				return value.Not(value.All(st.allow(), st.everyResource(), st.actions(func(a string) bool { return a == "*" })))
			}), "a statement allows * on *")
		}, policyTypes...),
	},
	{
		ID: "iam-no-service-wildcard", Title: "No policy allows a whole service",
		Why: "New actions of the service are allowed without a review.",
		Fix: "components/iam, the role's statements", Standards: []string{"FSBP IAM.21"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(document(s).All(func(st statement) value.Truth {
				return value.Not(value.All(st.allow(), st.actions(func(a string) bool { return strings.HasSuffix(a, ":*") })))
			}), "a statement allows every action of a service")
		}, policyTypes...),
	},
	{
		ID: "iam-changes-scoped", Title: "Actions that change something name their resources",
		Why: "A role that was taken over changes what is not its own.",
		Fix: "components/iam, the statement's Resources or Conditions", Standards: []string{"cdk-nag IAM5", "WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(document(s).All(func(st statement) value.Truth {
				writes := st.actions(func(a string) bool { return changes(a) && !unscoped[a] })
				return value.Not(value.All(st.allow(), st.everyResource(), writes, value.Not(st.Get("Condition").Set())))
			}), "a statement allows a change on every resource, without a condition")
		}, policyTypes...),
	},
	{
		ID: "iam-trust-named", Title: "Roles name who may assume them",
		Why: "Every AWS account could become the role.",
		Fix: "components/iam, Trust", Standards: []string{"FSBP IAM.1"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.IamRole) {
			s.Must(statements(v.AssumeRolePolicy()).All(func(st statement) value.Truth {
				everybody := value.Any(value.As[value.String](st.Get("Principal")).Is("*"), value.As[value.String](st.At("Principal.AWS")).Is("*"))
				return value.Not(value.All(st.allow(), everybody))
			}), "everybody may assume the role")
		}),
	},
	{
		ID: "iam-no-administrator-attached", Title: "No role has AWS's administrator policies",
		Why: "Whoever gets the role gets the account.",
		Fix: "components/iam, ManagedPolicies", Standards: []string{"CIS AWS 1.16"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.IamRolePolicyAttachment) {
			s.Must(value.Not(v.PolicyArn().Satisfies(func(arn string) bool {
				return strings.HasSuffix(arn, "/AdministratorAccess") || strings.HasSuffix(arn, "/PowerUserAccess") || strings.HasSuffix(arn, "/IAMFullAccess")
			})), "policyArn is %s", v.PolicyArn().Text())
		}),
	},
	{
		ID: "iam-role-used", Title: "Each role has a use in the stack",
		Why: "A role that nothing uses is a way in that nobody watches.",
		Fix: "remove the role, or give it to its user", Standards: []string{"FSBP IAM.22"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ aws.IamRole) {
			used := false
			for _, r := range s.Graph.Users(s.Resource) {
				switch r.Type {
				case aws.IamRolePolicy{}.Token(), aws.IamRolePolicyAttachment{}.Token():
				default:
					used = true
				}
			}
			s.Must(value.Of(used), "no resource refers to it")
		}),
	},
	{
		ID: "iam-role-has-permissions", Title: "Each role may do something",
		Why: "A service with an empty role fails at its first call, long after the up.",
		Fix: "components/iam, Statements or ManagedPolicies", Standards: nil,
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.Across(func(s *rule.Subject, v aws.IamRole) {
			s.Must(value.Any(
				rule.Users[aws.IamRolePolicy](s.Graph, s.Resource, "role").Exists(),
				rule.Users[aws.IamRolePolicyAttachment](s.Graph, s.Resource, "role").Exists(),
				v.InlinePolicies().Set(), v.ManagedPolicyArns().Set(),
			), "no policy is attached to it")
		}),
	},
}

// keyPolicyOpen tells whether a statement of a key's policy admits everybody.
func keyPolicyOpen(st statement) value.Truth {
	everybody := value.Any(value.As[value.String](st.Get("Principal")).Is("*"), value.As[value.String](st.At("Principal.AWS")).Is("*"))
	return value.All(st.allow(), everybody, value.Not(st.Get("Condition").Set()))
}

var keys = []*rule.Rule{
	{
		ID: "key-rotates", Title: "KMS keys rotate each year",
		Why: "A key that leaked once opens everything for ever.",
		Fix: "components/key, EnableKeyRotation", Standards: []string{"FSBP KMS.4", "CIS AWS 3.6"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.KmsKey) {
			s.Must(v.EnableKeyRotation().IsTrue(), "enableKeyRotation is not true")
		}),
	},
	{
		ID: "key-not-public", Title: "No key policy admits everybody",
		Why: "Every AWS account could decrypt.",
		Fix: "components/key, Users", Standards: []string{"FSBP KMS.5"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.KmsKey) {
			s.Must(statements(v.Policy().Node).All(func(st statement) value.Truth { return value.Not(keyPolicyOpen(st)) }), "a statement admits everybody, without a condition")
		}),
	},
	{
		ID: "key-deletion-window", Title: "A deleted key can be had back for 30 days",
		Why: "Data under a key that is gone are gone, with all backups.",
		Fix: "components/key, deletionWindow", Standards: []string{"FSBP KMS.3"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.KmsKey) {
			s.Must(v.DeletionWindowInDays().Or(30).AtLeast(30), "deletionWindowInDays is %s", v.DeletionWindowInDays().Text())
		}),
	},
	{
		ID: "log-group-retention", Title: "Logs have an end",
		Why: "Logs without one are billed for ever, and hold personal data for ever.",
		Fix: "components/logs, Days", Standards: []string{"WA COST04"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.CloudwatchLogGroup) {
			s.Must(v.RetentionInDays().Or(0).AtLeast(1), "retentionInDays is not set")
		}),
	},
	{
		ID: "log-group-encrypted", Title: "Logs are encrypted with a key of this account",
		Why: "Logs hold addresses and names of users.",
		Fix: "components/logs, the key's ARN", Standards: []string{"CKV_AWS_158"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.CloudwatchLogGroup) {
			s.Must(v.KmsKeyId().Set(), "kmsKeyId is not set")
		}),
	},
	{
		ID: "log-group-year", Title: "Logs are kept for a year",
		Why: "An attack is often found after months.",
		Fix: "components/logs, Days", Standards: []string{"FSBP CloudWatch.16"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v aws.CloudwatchLogGroup) {
			s.Must(v.RetentionInDays().Or(0).AtLeast(365), "retentionInDays is %s", v.RetentionInDays().Text())
		}),
	},
	{
		ID: "secret-encrypted", Title: "Secrets are encrypted with a key of this account",
		Why: "With AWS's own key every role of the account that may read secrets can decrypt them.",
		Fix: "components/secret, the key's ARN", Standards: []string{"CKV_AWS_149"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.SecretsmanagerSecret) {
			s.Must(v.KmsKeyId().Set(), "kmsKeyId is not set")
		}),
	},
	{
		ID: "secret-recoverable", Title: "A deleted secret can be had back for a week",
		Why: "A service that still needs it would stop.",
		Fix: "components/secret, the recovery window", Standards: []string{"WA REL09"},
		Severity: rule.Medium, Levels: rule.Deployed,
		Check: rule.On(func(s *rule.Subject, v aws.SecretsmanagerSecret) {
			s.Must(v.RecoveryWindowInDays().Or(30).AtLeast(7), "recoveryWindowInDays is %s", v.RecoveryWindowInDays().Text())
		}),
	},
	{
		ID: "secret-not-plain", Title: "The value of a secret is encrypted in Pulumi's state",
		Why: "Everybody who reads the state or a preview would read it.",
		Fix: "components/secret, pulumi.ToSecret", Standards: []string{"WA SEC08"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v aws.SecretsmanagerSecretVersion) {
			s.Must(encrypted(v.SecretString().Node), "secretString is in clear text")
		}),
	},
	{
		ID: "key-of-store-rotates", Title: "Stores use a key of this stack that rotates",
		Why: "A key that belongs to somebody else can be taken away, with the data.",
		Fix: "components/datastore, Key", Standards: []string{"FSBP KMS.4"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			used := rule.Refs[aws.KmsKey](s.Graph, s.Resource, "kmsKeyId")
			s.Must(used.Any(func(_ *graph.Resource, k aws.KmsKey) value.Truth { return k.EnableKeyRotation().IsTrue() }), "kmsKeyId is not that of a key of this stack that rotates")
		}, storeTypes...),
	},
}

// encrypted tells whether Pulumi encrypts a value.
func encrypted(n value.Node) value.Truth {
	switch {
	case n.IsSecret():
		return value.True
	case !n.Known():
		return value.Unknown
	}
	return value.Not(n.Set())
}

// storeTypes are the types that hold data.
var storeTypes = []string{aws.RdsInstance{}.Token(), aws.DocdbCluster{}.Token(), aws.ElasticacheReplicationGroup{}.Token()}
