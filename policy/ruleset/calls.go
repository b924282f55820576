package ruleset

import (
	"path"
	"slices"

	"github.com/progressive-framework/platform/components/autoscaler/manifest"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/terminationhandler/terminationspec"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// podIdentityType is the type of the resource that gives a service account an IAM role.
const podIdentityType = "aws:eks/podIdentityAssociation:PodIdentityAssociation"

// addonType is the type of an EKS add-on. An add-on may give a role to its own service account.
var addonType = awsview.EksAddon{}.Token()

// volumeKeyCalls are the actions on the key of an encrypted volume (aws-ebs-csi-driver, "Encryption").
var volumeKeyCalls = []string{"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"}

// Actions of IAM that a pod needs because of its settings.
const (
	loginCall  = "rds-db:connect"                // agents/internal/rdstoken signs the login to PostgreSQL
	secretCall = "secretsmanager:GetSecretValue" // the Secrets Store CSI driver reads secrets with the pod's role
)

// programCalls returns the actions that the program with a service account calls. known is false for
// an account that this function does not list.
func programCalls(account string) (actions []string, known bool) {
	databaseClients := []string{scaling.MigrationTask().ShortName, "postgres-exporter"}
	for _, service := range scaling.Services() {
		databaseClients = append(databaseClients, service.Name)
	}
	if slices.Contains(databaseClients, account) {
		return []string{loginCall, secretCall, "secretsmanager:DescribeSecret", "kms:Decrypt"}, true
	}
	actions = controllerCalls(account)
	return actions, actions != nil
}

// controllerCalls returns the actions that a controller always calls, whatever its settings are.
// account is the controller's service account. For the account of another program it returns nil.
// KEDA and the VPA do not call AWS.
func controllerCalls(account string) []string {
	switch account {
	case "cluster-autoscaler":
		return append(manifest.ReadActions(), manifest.ScaleActions()...)
	case "aws-node-termination-handler":
		return slices.Concat(terminationspec.ReadActions(), terminationspec.GroupActions(), terminationspec.QueueActions())
	case "alertmanager":
		return []string{"sns:Publish"}
	case "prometheus":
		return []string{"aps:RemoteWrite"}
	case fluentbit.App:
		return fluentbit.WriteActions()
	}
	return nil
}

var calls = []*rule.Rule{
	{
		ID: "iam-calls-allowed", Title: "A pod's role allows the calls that its program makes, or that its settings lead to",
		Why: "The pod starts, and fails at its first call of AWS, at its first login or at the mount of its secrets.",
		Fix: "infra/environment.go, the service's statements, or the controller's component", Standards: []string{"WA SEC03"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			if s.Type == addonType {
				requireVolumeCalls(s)
				return
			}
			accountName, isText := s.View().Get("serviceAccount").Raw().(string)
			if !isText {
				s.LeaveUndecided("the name of the service account")
			}
			for _, call := range controllerCalls(accountName) {
				s.Must(roleAllows(s, func(action string) bool { return actionAllows(action, call) }), "the role does not allow %s, which the controller calls", call)
			}
			for _, r := range resourcesOfTypes(s.Graph, workloadTypes...) {
				usesAccount := hasServiceAccount(s, r)
				for call, needsCall := range map[string]value.Truth{loginCall: logsInByRole(r), secretCall: mountsSecrets(r)} {
					s.Must(value.Implies(value.All(usesAccount, needsCall), roleAllows(s, func(action string) bool { return actionAllows(action, call) })), "the role does not allow an action that %s calls", r.Name)
				}
			}
		}, podIdentityType, addonType),
	},
	{
		ID: "iam-calls-only", Title: "A pod's role allows only the calls that its program makes",
		Why: "An attacker in the pod would have permissions that the program does not need.",
		Fix: "components/iam, the role's statements", Standards: []string{"WA SEC03", "FSBP IAM.21"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			name, isText := s.View().Get("serviceAccount").Raw().(string)
			if !isText {
				s.LeaveUndecided("the name of the service account")
				return
			}
			if actions, known := programCalls(name); known {
				s.Must(value.Not(roleAllows(s, func(action string) bool { return !slices.Contains(actions, action) })), "the role allows an action that is not one of %v", actions)
			}
		}, podIdentityType),
	},
}

// requireVolumeCalls requires that the role of the EBS CSI driver allows the driver's calls. The
// subject is an add-on. AWS's own policy allows the actions on volumes. The stack's policy must allow
// volumeKeyCalls if a StorageClass names a key.
func requireVolumeCalls(s *rule.Subject) {
	isDriver := value.As[awsview.EksAddon](s.View()).AddonName().Is(eksspec.EBSCSIDriver)
	s.Must(value.Implies(isDriver, rule.Refs[awsview.IamRole](s.Graph, s.Resource, "podIdentityAssociations").Any(func(role *graph.Resource, _ awsview.IamRole) value.Truth {
		return rule.Referrers[awsview.IamRolePolicyAttachment](s.Graph, role, "role").Any(func(_ *graph.Resource, a awsview.IamRolePolicyAttachment) value.Truth {
			return a.PolicyArn().Contains("AmazonEBSCSIDriverPolicy")
		})
	})), "the role does not have AWS's policy for the driver")
	hasOwnKey := rule.Every[k8sview.StorageClass](s.Graph).Any(func(_ *graph.Resource, c k8sview.StorageClass) value.Truth {
		return c.Parameters().Entry("kmsKeyId").IsSet()
	})
	for _, call := range volumeKeyCalls {
		s.Must(value.Implies(value.All(isDriver, hasOwnKey), roleAllows(s, func(action string) bool { return actionAllows(action, call) })), "the role does not allow %s on the key of the volumes", call)
	}
}

// hasServiceAccount reports whether the pods of a workload have the service account that the subject
// names.
func hasServiceAccount(s *rule.Subject, workload *graph.Resource) value.Truth {
	account := value.As[value.String](s.View().Get("serviceAccount"))
	name := resolveName(s.Graph, workload, podTemplate(workload).Spec().ServiceAccountName(), "spec", k8sview.ServiceAccount{}.Token())
	return name.Equals(account)
}

// logsInByRole reports whether the pods of a workload log in to PostgreSQL with their IAM role.
func logsInByRole(workload *graph.Resource) value.Truth {
	return podTemplate(workload).Spec().Containers().Any(func(c k8sview.Container) value.Truth {
		return c.Env().Any(func(e k8sview.EnvVar) value.Truth {
			return value.All(e.Name().Is("DATABASE_LOGIN"), e.Value().Is("iam"))
		})
	})
}

// mountsSecrets reports whether the pods of a workload mount secrets of Secrets Manager.
func mountsSecrets(workload *graph.Resource) value.Truth {
	return podTemplate(workload).Spec().Volumes().Any(func(v k8sview.Volume) value.Truth {
		return v.Csi().Driver().Is("secrets-store.csi.k8s.io")
	})
}

// actionAllows reports whether the action of an IAM statement allows a call. The action may have
// the wildcards * and ?.
func actionAllows(action, call string) bool {
	matched, err := path.Match(action, call)
	return err == nil && matched
}

// roleAllows reports whether the role of the subject allows an action for which test is true. The
// subject is a pod identity association or an add-on.
func roleAllows(s *rule.Subject, test func(action string) bool) value.Truth {
	prop := "roleArn"
	if s.Type == addonType {
		prop = "podIdentityAssociations"
	}
	roles := rule.Refs[awsview.IamRole](s.Graph, s.Resource, prop)
	return roles.Any(func(role *graph.Resource, _ awsview.IamRole) value.Truth {
		return rule.Referrers[awsview.IamRolePolicy](s.Graph, role, "role").Any(func(r *graph.Resource, _ awsview.IamRolePolicy) value.Truth {
			return statements(r.View().Get("policy")).Any(func(st statement) value.Truth { return value.All(st.isAllow(), st.hasAction(test)) })
		})
	})
}
