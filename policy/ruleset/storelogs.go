package ruleset

import (
	"strings"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// serviceLogs are the rules on log groups with names that AWS chooses or checks.
var serviceLogs = []*rule.Rule{
	{
		ID: "store-log-groups-managed", Title: "The stack owns the log groups of its databases",
		Why: "A log group that RDS or DocumentDB creates has no retention period, and no key of this account.",
		Fix: "components/datastore, the log groups' names", Standards: []string{"CIS AWS 3.5"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			prefix, name := "/aws/rds/instance/", value.As[value.String](s.View().Get("identifier"))
			if s.Type == (awsview.DocdbCluster{}).Token() {
				prefix, name = "/aws/docdb/", value.As[value.String](s.View().Get("clusterIdentifier"))
			}
			exports := value.As[value.List[value.String]](s.View().Get("enabledCloudwatchLogsExports"))
			s.Must(exports.All(func(log value.String) value.Truth {
				return rule.Every[awsview.CloudwatchLogGroup](s.Graph).Any(func(_ *graph.Resource, g awsview.CloudwatchLogGroup) value.Truth {
					return value.All(
						value.CompareStrings(g.Name(), name, func(group, id string) bool { return strings.HasPrefix(group, prefix+id+"/") }),
						value.CompareStrings(g.Name(), log, func(group, log string) bool { return strings.HasSuffix(group, "/"+log) }),
					)
				})
			}), "an exported log has no log group of this stack")
		}, awsview.RdsInstance{}.Token(), awsview.DocdbCluster{}.Token()),
	},
	{
		ID: "waf-log-name", Title: "The web ACL's log group has the name that AWS requires",
		Why: "In the middle of an up, WAF refuses a log group if its name does not begin with aws-waf-logs-.",
		Fix: "components/webacl, the log group's name", Standards: []string{"FSBP WAF.11"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.Wafv2WebAclLoggingConfiguration) {
			groups := rule.Refs[awsview.CloudwatchLogGroup](s.Graph, s.Resource, "logDestinationConfigs")
			s.Must(groups.All(func(_ *graph.Resource, g awsview.CloudwatchLogGroup) value.Truth {
				return g.Name().HasPrefix("aws-waf-logs-")
			}), "the log group's name does not begin with aws-waf-logs-")
		}),
	},
}
