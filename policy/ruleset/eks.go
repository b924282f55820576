package ruleset

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/components/cluster/ekscalendar"
	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

var eks = []*rule.Rule{
	{
		ID: "eks-endpoint-private", Title: "The API server is private, or open to listed address blocks only",
		Why: "Everybody could try credentials and flaws on it.",
		Fix: "the key cluster.publicAccessCidrs", Standards: []string{"FSBP EKS.1", "CIS EKS 5.4.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			c := v.VpcConfig()
			isLimited := value.All(c.PublicAccessCidrs().IsSet(), value.Not(value.HasText(c.PublicAccessCidrs(), anyIPv4)))
			s.Must(value.Any(c.EndpointPublicAccess().Or(true).IsFalse(), isLimited), "the public endpoint is open to everybody")
			s.Must(c.EndpointPrivateAccess().IsTrue(), "endpointPrivateAccess is not true")
		}),
	},
	{
		ID: "eks-version-supported", Title: "The Kubernetes version has standard support for three more months",
		Why: "After its end AWS charges six times the price, or upgrades the cluster itself.",
		Fix: "the key cluster.version", Standards: []string{"FSBP EKS.2"},
		Severity: rule.Medium, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			s.Must(v.Version().Satisfies(func(version string) bool {
				support, known := ekscalendar.ForVersion(version)
				return known && s.Now.Add(ekscalendar.Notice).Before(support.Standard)
			}), "standard support of %s is unknown, over, or ends within %d days", v.Version().Text(), int(ekscalendar.Notice.Hours()/24))
		}),
	},
	{
		ID: "eks-secrets-encrypted", Title: "Kubernetes Secrets are encrypted with a key of this account",
		Why: "A copy of etcd would show them.",
		Fix: "components/cluster, KeyARN", Standards: []string{"FSBP EKS.3", "CIS EKS 5.3.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			c := v.EncryptionConfig()
			s.Must(value.All(value.HasText(c.Resources(), "secrets"), c.Provider().KeyArn().IsSet()), "encryptionConfig does not name secrets and a key")
		}),
	},
	{
		ID: "eks-control-plane-logs", Title: "The control plane writes all its logs",
		Why: "The audit log is the only record of who changed what.",
		Fix: "components/cluster, controlPlaneLogs", Standards: []string{"FSBP EKS.8", "CIS EKS 2.1.1"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			for _, kind := range []string{"api", "audit", "authenticator", "controllerManager", "scheduler"} {
				s.Must(value.HasText(v.EnabledClusterLogTypes(), kind), "the log %s is not enabled", kind)
			}
		}),
	},
	{
		ID: "eks-log-group-managed", Title: "The stack owns the log group of the control plane",
		Why: "EKS creates a missing one without a key and without a retention period.",
		Fix: "components/cluster, controlPlane", Standards: []string{"CIS AWS 3.5"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.EksCluster) {
			s.Must(rule.Every[awsview.CloudwatchLogGroup](s.Graph).Any(func(_ *graph.Resource, g awsview.CloudwatchLogGroup) value.Truth {
				return value.CompareStrings(v.Name(), g.Name(), func(name, group string) bool { return group == "/aws/eks/"+name+"/cluster" })
			}), "no log group /aws/eks/CLUSTER/cluster")
		}),
	},
	{
		ID: "eks-access-entries", Title: "Only access entries decide who may use the cluster",
		Why: "Permissions in the ConfigMap aws-auth are in no plan and no audit.",
		Fix: "components/cluster, AuthenticationMode", Standards: []string{"CIS EKS 5.5.1"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			s.Must(v.AccessConfig().AuthenticationMode().Is("API"), "authenticationMode is %s", v.AccessConfig().AuthenticationMode().Text())
		}),
	},
	{
		ID: "eks-no-implicit-admin", Title: "The creator of the cluster gets no hidden administrator permissions",
		Why: "The permission is in no resource and can't be taken away.",
		Fix: "the key cluster.admins, and components/cluster", Standards: []string{"CIS EKS 4.1.1"},
		Severity: rule.Low, Levels: rule.Advice,
		Check: rule.On(func(s *rule.Subject, v awsview.EksCluster) {
			s.Must(v.AccessConfig().BootstrapClusterCreatorAdminPermissions().Or(true).IsFalse(), "bootstrapClusterCreatorAdminPermissions is not false")
		}),
	},
	{
		ID: "eks-addons-pinned", Title: "Add-ons have a version",
		Why: "AWS's default version changes without a commit.",
		Fix: "components/cluster/eksspec", Standards: []string{"WA REL08"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksAddon) {
			s.Must(v.AddonVersion().IsSet(), "addonVersion is not set")
		}),
	},
	{
		ID: "eks-network-policies-enforced", Title: "The pod network enforces network policies",
		Why: "Without it no NetworkPolicy has an effect.",
		Fix: "components/cluster, createNodeAddons", Standards: []string{"CIS EKS 4.3.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v awsview.EksAddon) {
			enabled := value.As[value.Bool](v.ConfigurationValues().JSON().Get("enableNetworkPolicy"))
			s.Must(value.Implies(v.AddonName().Is("vpc-cni"), enabled.IsTrue()), "enableNetworkPolicy is not true")
		}),
	},
	{
		ID: "eks-one-role-per-service-account", Title: "No two service accounts share an IAM role",
		Why: "Each would have the permissions of the other.",
		Fix: "components/service, a role of its own", Standards: []string{"CIS EKS 4.1.5"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, _ awsview.EksPodIdentityAssociation) {
			roles := rule.Refs[awsview.IamRole](s.Graph, s.Resource, "roleArn")
			for _, role := range roles.Resources {
				users := rule.Referrers[awsview.EksPodIdentityAssociation](s.Graph, role, "roleArn")
				s.Must(atMost(len(users.Resources), 1, users.Complete), "role %s is that of %d service accounts", role.Name, len(users.Resources))
			}
			s.Must(roles.Exists(), "the role is not one of this stack")
		}),
	},
	{
		ID: "eks-autoscaler-version", Title: "Cluster Autoscaler has the minor version of the cluster, or during an upgrade the one before",
		Why: "It simulates the scheduler of its own version; another one decides differently.",
		Fix: "components/autoscaler/manifest; a reference by digest has the tag, too: NAME:TAG@DIGEST", Standards: []string{"WA REL07"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v awsview.EksCluster) {
			for _, r := range s.Graph.OfType(k8sview.Deployment{}.Token()) {
				fromStack := stackImages(s.Graph, r).Exists()
				containers, complete := podTemplate(r).Spec().Containers().Items()
				if !complete && len(containers) == 0 {
					s.Must(value.Any(fromStack, value.Unknown), "the containers of %s", r.Name)
				}
				for _, c := range containers {
					hasVersion := value.CompareStrings(c.Image(), v.Version(), func(image, version string) bool {
						return strings.Contains(image, ":v"+version+".") || strings.Contains(image, ":v"+previousMinorVersion(version)+".")
					})
					s.Must(value.Any(fromStack, value.Not(c.Image().Matches(autoscalerImage)), hasVersion), "Cluster Autoscaler is %s, the cluster %s", c.Image().Text(), v.Version().Text())
				}
			}
		}),
	},
}

// previousMinorVersion returns the minor version before this one: 1.35 for 1.36. It returns a
// version without a number unchanged. During an upgrade of the cluster, the autoscaler still has the
// previous version, because the control plane gets the new version first.
func previousMinorVersion(version string) string {
	major, minor, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(minor)
	if err != nil {
		return version
	}
	return major + "." + strconv.Itoa(n-1)
}

// autoscalerImage matches the reference of an image of Cluster Autoscaler, in any registry.
var autoscalerImage = regexp.MustCompile(`(^|/)cluster-autoscaler[:@]`)
