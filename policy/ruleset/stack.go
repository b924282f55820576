package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/components/iam/naming"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var stack = []*rule.Rule{
	{
		ID: "alarm-has-action", Title: "Each alarm notifies somebody",
		Why: "An alarm that is only seen in a console is seen too late.",
		Fix: "the key edge.alarmTopicArn", Standards: []string{"FSBP CloudWatch.15"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudwatchMetricAlarm) {
			s.Must(v.AlarmActions().IsSet(), "alarmActions is not set")
		}),
	},
	{
		ID: "alarm-enabled", Title: "No alarm's actions are switched off",
		Why: "Somebody silences an alarm for a night, and it stays silent.",
		Fix: "the component that creates the alarm: leave ActionsEnabled out", Standards: []string{"FSBP CloudWatch.17"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.CloudwatchMetricAlarm) {
			s.Must(v.ActionsEnabled().Or(true).IsTrue(), "actionsEnabled is false")
		}),
	},
	{
		ID: "provider-account", Title: "The AWS provider is bound to one account",
		Why: "With the wrong credentials an up would change another account.",
		Fix: "the key account", Standards: []string{"WA SEC01"},
		Severity: rule.High, Levels: rule.Deployed,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(s.View().Get("allowedAccountIds").IsSet(), "allowedAccountIds is not set")
		}, "pulumi:providers:aws"),
	},
	{
		ID: "tags-of-stack", Title: "The AWS provider gives each resource the tags of the stack",
		Why: "A bill without them can't be split by stack and owner.",
		Fix: "infra, the provider's DefaultTags", Standards: []string{"WA COST03", "awsguard"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			tags := s.View().Get("defaultTags")
			if text, ok := tags.Raw().(string); ok { // Pulumi encodes the inputs of a provider as JSON strings
				tags = value.New(text).JSON()
			}
			for _, name := range []string{"Environment", "Project"} {
				s.Must(tags.At("tags").Get(name).IsSet(), "defaultTags has no %s", name)
			}
		}, "pulumi:providers:aws"),
	},
	{
		ID: "output-no-secret", Title: "No stack output shows a secret",
		Why: "Outputs are printed after every up.",
		Fix: "infra/outputs.go: export its ARN instead", Standards: []string{"WA SEC08"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			names, complete := s.Outputs.Keys()
			if !complete {
				s.LeaveUndecided("the names of the outputs")
			}
			for _, name := range names {
				isPlain := value.Not(isEncrypted(s.Outputs.Get(name)))
				s.Must(value.Not(value.All(value.FromBool(credentialName.MatchString(snakeCase(name))), isPlain)), "the output %s has the name of a secret and is not encrypted", name)
			}
		}, "pulumi:pulumi:Stack"),
	},
	{
		ID: "names-within-limits", Title: "Names fit AWS's limits",
		Why: "AWS refuses a longer name in the middle of an up.",
		Fix: "the key environment", Standards: []string{"WA REL01"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.OnTypes(func(s *rule.Subject) {
			name := value.As[value.String](s.View().Get("name"))
			limit := nameLimits[s.Type]
			s.Must(value.Any(value.Not(name.IsSet()), name.Satisfies(func(text string) bool { return len(text) <= limit })), "name %s has more than %d characters", name.Text(), limit)
		}, loadBalancerType, targetGroupType, awsview.IamRole{}.Token()),
	},
	{
		ID: "alarm-names-differ", Title: "Each alarm has a name of its own at AWS",
		Why: "AWS replaces an alarm by a second one with the same name.",
		Fix: "components/tier and components/loadbalancer: the alarm's name", Standards: []string{"WA OPS08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.CloudwatchMetricAlarm) {
			for _, other := range s.Graph.OfType(s.Type) {
				if other != s.Resource {
					s.Must(value.Not(value.All(v.Name().IsSet(), v.Name().Equals(value.As[awsview.CloudwatchMetricAlarm](other.View()).Name()))), "%s has the same name", other.Name)
				}
			}
		}),
	},
}

var (
	loadBalancerType = awsview.LbLoadBalancer{}.Token()
	targetGroupType  = awsview.LbTargetGroup{}.Token()
	// nameLimits has, by resource type, the maximum length of a name. The limits of a load balancer
	// and of a target group are those of the ELB API.
	nameLimits = map[string]int{loadBalancerType: 32, targetGroupType: 32, awsview.IamRole{}.Token(): naming.MaxRoleNameLength}
)

// snakeCase converts aNameLikeThis to a_name_like_this.
func snakeCase(name string) string {
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}
