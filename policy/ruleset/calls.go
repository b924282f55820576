package ruleset

import (
	"path"
	"slices"

	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// podIdentity is the type of the resource that gives a service account an IAM role.
const podIdentity = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

// Actions of IAM that a pod needs because of its settings.
const (
	loginCall  = "rds-db:connect"                // agents/internal/rdstoken signs the login to PostgreSQL
	secretCall = "secretsmanager:GetSecretValue" // the Secrets Store CSI driver reads secrets with the pod's role
)

// callsOf returns the actions that the program with a service account calls. For an account that
// this function does not list, known is false.
func callsOf(account string) (actions []string, known bool) {
	databaseClients := []string{scaling.MigrationTask().Short, "postgres-exporter"}
	for _, p := range scaling.Services() {
		databaseClients = append(databaseClients, p.Name)
	}
	switch {
	case slices.Contains(databaseClients, account):
		return []string{loginCall, secretCall, "secretsmanager:DescribeSecret", "kms:Decrypt"}, true
	case account == "cluster-autoscaler":
		return append(manifest.ReadActions(), manifest.ScaleActions()...), true
	case account == "aws-node-termination-handler":
		return slices.Concat(terminationspec.ReadActions(), terminationspec.GroupActions(), terminationspec.QueueActions()), true
	case account == "alertmanager":
		return []string{"sns:Publish"}, true
	case account == "prometheus":
		return []string{"aps:RemoteWrite"}, true
	case account == fluentbit.App:
		return fluentbit.WriteActions(), true
	}
	return nil, false
}

var calls = []*rule.Rule{
	{
		ID: "iam-calls-allowed", Title: "A pod's role allows the calls that its settings lead to",
		Why: "The pod starts, and fails at its first login or at the mount of its secrets.",
		Fix: "infra/environment.go, the service's statements", Standards: []string{"WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			for _, r := range resourcesOfTypes(s.Graph, workloadTypes...) {
				usesAccount := runsAs(s, r)
				for call, needsCall := range map[string]value.Truth{loginCall: logsInByRole(r), secretCall: mountsSecrets(r)} {
					s.Must(value.Implies(value.All(usesAccount, needsCall), roleAllows(s, func(action string) bool { return actionAllows(action, call) })), "the role does not allow an action that %s calls", r.Name)
				}
			}
		}, podIdentity),
	},
	{
		ID: "iam-calls-only", Title: "A pod's role allows only the calls that its program makes",
		Why: "An attacker in the pod would have permissions that the program does not need.",
		Fix: "components/iam, the role's statements", Standards: []string{"WA SEC03", "FSBP IAM.21"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			name, isText := s.View().Get("serviceAccount").Raw().(string)
			if !isText {
				s.Wait("the name of the service account")
				return
			}
			if actions, known := callsOf(name); known {
				s.Must(value.Not(roleAllows(s, func(action string) bool { return !slices.Contains(actions, action) })), "the role allows an action that is not one of %v", actions)
			}
		}, podIdentity),
	},
}

// runsAs reports whether a workload's pods have the subject's service account.
func runsAs(s *rule.Subject, workload *graph.Resource) value.Truth {
	account := value.As[value.String](s.View().Get("serviceAccount"))
	name := resolveName(s.Graph, workload, podOf(workload).Spec().ServiceAccountName(), "spec", k8sview.ServiceAccount{}.Token())
	return name.Equals(account)
}

// logsInByRole reports whether the pods of a workload log in to PostgreSQL with their IAM role.
func logsInByRole(workload *graph.Resource) value.Truth {
	return podOf(workload).Spec().Containers().Any(func(c k8sview.Container) value.Truth {
		return c.Env().Any(func(e k8sview.EnvVar) value.Truth {
			return value.All(e.Name().Is("DATABASE_LOGIN"), e.Value().Is("iam"))
		})
	})
}

// mountsSecrets reports whether the pods of a workload mount secrets of Secrets Manager.
func mountsSecrets(workload *graph.Resource) value.Truth {
	return podOf(workload).Spec().Volumes().Any(func(v k8sview.Volume) value.Truth {
		return v.Csi().Driver().Is("secrets-store.csi.k8s.io")
	})
}

// actionAllows reports whether the action of an IAM statement allows a call. The action may have
// the wildcards * and ?.
func actionAllows(action, call string) bool {
	matched, err := path.Match(action, call)
	return err == nil && matched
}

// roleAllows reports whether the role of the subject, a pod identity association, allows an action
// for which test is true.
func roleAllows(s *rule.Subject, test func(action string) bool) value.Truth {
	roles := rule.Refs[awsview.IamRole](s.Graph, s.Resource, "roleArn")
	return roles.Any(func(role *graph.Resource, _ awsview.IamRole) value.Truth {
		return rule.Users[awsview.IamRolePolicy](s.Graph, role, "role").Any(func(r *graph.Resource, _ awsview.IamRolePolicy) value.Truth {
			return statements(r.View().Get("policy")).Any(func(st statement) value.Truth { return value.All(st.isAllow(), st.hasAction(test)) })
		})
	})
}
