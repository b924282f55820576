package ruleset

import (
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/rule"
	"github.com/progressive-framework/platform/policy/value"
)

// roleTypes are the types of RBAC roles.
var roleTypes = []string{k8sview.Role{}.Token(), k8sview.ClusterRole{}.Token()}

// listRBACRules returns the RBAC rules of the subject, which is a role. Each rule grants verbs on
// resources.
func listRBACRules(s *rule.Subject) value.List[k8sview.PolicyRule] {
	return value.As[value.List[k8sview.PolicyRule]](s.View().Get("rules"))
}

// grantsVerb reports whether an RBAC rule grants a verb on a resource.
func grantsVerb(g k8sview.PolicyRule, resource, verb string) value.Truth {
	return value.All(
		value.Any(value.HasText(g.Resources(), resource), value.HasText(g.Resources(), "*")),
		value.Any(value.HasText(g.Verbs(), verb), value.HasText(g.Verbs(), "*")),
	)
}

var cluster = []*rule.Rule{
	rbacRule("rbac-no-wildcards", "Roles name groups, resources and verbs", "A new kind of object is allowed without a review.",
		[]string{"CIS EKS 4.1.3"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			return value.Not(value.Any(value.HasText(g.ApiGroups(), "*"), value.HasText(g.Resources(), "*"), value.HasText(g.Verbs(), "*")))
		}, "a rule has *"),
	rbacRule("rbac-no-escalation", "Roles can't give themselves more permissions", "With escalate, bind, impersonate or the approval of certificates a role can become the administrator.",
		[]string{"CIS EKS 4.1.8"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			return value.Not(value.Any(value.HasText(g.Verbs(), "escalate"), value.HasText(g.Verbs(), "bind"), value.HasText(g.Verbs(), "impersonate"), grantsVerb(g, "signers", "approve")))
		}, "a rule has escalate, bind or impersonate, or approves certificates"),
	rbacRule("rbac-no-secrets", "Roles do not read Secrets", "One role could read the passwords of all services.",
		[]string{"CIS EKS 4.1.2"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			return value.Not(value.Any(grantsVerb(g, "secrets", "list"), grantsVerb(g, "secrets", "watch"), value.All(grantsVerb(g, "secrets", "get"), value.Not(g.ResourceNames().IsSet()))))
		}, "a rule reads secrets that it does not name"),
	rbacRule("rbac-no-exec", "Roles do not start processes in pods", "exec and attach give the permissions of every pod.",
		[]string{"CIS EKS 4.1.4"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			return value.Not(value.Any(grantsVerb(g, "pods/exec", "create"), grantsVerb(g, "pods/attach", "create")))
		}, "a rule allows exec or attach"),
	rbacRule("rbac-no-pod-creation", "Roles do not create pods", "Whoever creates a pod chooses its service account, and gets that account's permissions.",
		[]string{"CIS Kubernetes 5.1.4", "kube-linter access-to-create-pods"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			createsNone := value.True
			for _, resource := range []string{"pods", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs", "cronjobs"} {
				createsNone = value.All(createsNone, value.Not(grantsVerb(g, resource, "create")))
			}
			return createsNone
		}, "a rule creates pods, or objects that create pods"),
	rbacRule("rbac-no-mass-deletion", "Roles do not delete whole collections", "One request would delete every object of a kind.",
		[]string{"kube-linter deletecollection-verb-in-role"}, func(s *rule.Subject, g k8sview.PolicyRule) value.Truth {
			return value.Not(value.Any(value.HasText(g.Verbs(), "deletecollection"), value.HasText(g.Verbs(), "*")))
		}, "a rule has deletecollection or *"),
	{
		ID: "rbac-not-aggregated", Title: "A ClusterRole adds nothing to the roles admin, edit and view",
		Why: "Everybody with one of these roles would get its permissions, without a binding that shows it.",
		Fix: "the component that creates the role: its labels", Standards: []string{"kube-linter aggregate-to-admin-escalation"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.ClusterRole) {
			for _, role := range []string{"admin", "edit", "view"} {
				s.Must(value.Not(v.Metadata().Labels().Entry("rbac.authorization.k8s.io/aggregate-to-"+role).Is("true")), "it is added to the role %s", role)
			}
		}),
	},
	{
		ID: "rbac-no-administrator", Title: "Nobody is bound to the roles cluster-admin, admin and edit",
		Why: "Whoever takes over one pod could change all objects of the cluster or of a namespace.",
		Fix: "components/autoscaler/rbac.go", Standards: []string{"CIS EKS 4.1.1"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			role := value.As[value.String](s.View().At("roleRef.name"))
			for _, typ := range roleTypes {
				role = resolveName(s.Graph, s.Resource, role, "roleRef", typ)
			}
			s.Must(value.Not(role.In("cluster-admin", "admin", "edit")), "roleRef is %s", role.Text())
		}, k8sview.ClusterRoleBinding{}.Token(), k8sview.RoleBinding{}.Token()),
	},
	{
		ID: "namespace-restricted", Title: "Namespaces enforce the Pod Security Standard restricted",
		Why: "A pod that somebody adds by hand could be root.",
		Fix: "infra/services.go, the namespace's labels", Standards: []string{"PSS restricted", "CIS EKS 4.2"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.Namespace) {
			s.Must(v.Metadata().Labels().Entry("pod-security.kubernetes.io/enforce").Is("restricted"), "the label pod-security.kubernetes.io/enforce is not restricted")
		}),
	},
	{
		ID: "namespace-admission-policy", Title: "The API server checks every pod in the services' namespace",
		Why: "The policy pack reads what Pulumi creates. A person or a controller can create other pods.",
		Fix: "components/admissionpolicy", Standards: []string{"CIS EKS 5.1.4"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.Across(func(s *rule.Subject, v k8sview.Namespace) {
			name := v.Metadata().Name()
			s.Must(value.Implies(runsServices(s.Graph, name), hasAdmissionPolicy(s.Graph, name)),
				"no ValidatingAdmissionPolicy that fails closed is bound to it with the action Deny")
		}),
	},
	{
		ID: "namespace-default-unused", Title: "No object is in the namespace default",
		Why: "Network policies and quotas apply to a namespace, and the namespace default has none.",
		Fix: "the component that creates the object: Namespace", Standards: []string{"CIS EKS 4.6.4"},
		Severity: rule.Low, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			namespace := resolveNamespace(s.Graph, s.Resource)
			s.Must(value.All(namespace.IsSet(), value.Not(namespace.Is("default"))), "metadata.namespace is %s", namespace.Text())
		}, append(append([]string{}, workloadTypes...), k8sview.Service{}.Token(), k8sview.Secret{}.Token(), k8sview.ConfigMap{}.Token())...),
	},
	{
		ID: "secret-object-encrypted", Title: "The content of Secrets is encrypted in Pulumi's state",
		Why: "Everybody who reads the state or a preview would read it.",
		Fix: "components/secretfiles, pulumi.ToSecret", Standards: []string{"WA SEC08"},
		Severity: rule.Critical, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.Secret) {
			for _, content := range []value.Node{v.Data().Node, v.StringData().Node} {
				names, complete := content.Keys()
				if !complete && !content.IsSecret() {
					s.LeaveUndecided("the names of the content")
				}
				for _, name := range names {
					s.Must(isEncrypted(content.Get(name)), "%s is in clear text", name)
				}
			}
		}),
	},
	{
		ID: "configmap-no-secrets", Title: "ConfigMaps hold no secrets",
		Why: "Everybody who may read the namespace reads them.",
		Fix: "components/secretfiles: a Secret", Standards: []string{"CIS EKS 4.4.1"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.ConfigMap) {
			names, complete := v.Data().Keys()
			if !complete {
				s.LeaveUndecided("the names of the entries")
			}
			for _, name := range names {
				s.Must(value.Not(value.Any(value.FromBool(credentialName.MatchString(name)), v.Data().Entry(name).Contains("PRIVATE KEY-----"))), "the entry %s is a secret", name)
			}
		}),
	},
	{
		ID: "network-policy-not-open", Title: "A NetworkPolicy names its peers or its ports",
		Why: "A rule without peers admits every pod and every address.",
		Fix: "components/service, the NetworkPolicy's rules", Standards: []string{"CIS EKS 4.3.2"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.NetworkPolicy) {
			s.Must(v.Spec().Ingress().All(func(i k8sview.NetworkPolicyIngressRule) value.Truth {
				return value.Any(i.From().IsSet(), i.Ports().IsSet())
			}), "an ingress rule names neither peers nor ports")
			s.Must(v.Spec().Egress().All(func(e k8sview.NetworkPolicyEgressRule) value.Truth {
				return value.Any(e.To().IsSet(), e.Ports().IsSet())
			}), "an egress rule names neither peers nor ports")
		}),
	},
	{
		ID: "volumes-encrypted", Title: "Volumes of EBS are encrypted",
		Why: "A snapshot of the volume would be readable.",
		Fix: "infra/incluster.go, the StorageClass's parameters", Standards: []string{"FSBP EC2.3"},
		Severity: rule.High, Levels: rule.Everywhere,
		Check: rule.On(func(s *rule.Subject, v k8sview.StorageClass) {
			isEBS := v.Provisioner().Is("ebs.csi.aws.com")
			s.Must(value.Implies(isEBS, v.Parameters().Entry("encrypted").Is("true")), "parameters.encrypted is not true")
		}),
	},
	{
		ID: "service-account-role-known", Title: "A role is given to service accounts of the stack only",
		Why: "Whoever creates an account of that name gets the role.",
		Fix: "components/service, the pod identity association", Standards: []string{"WA SEC03"},
		Severity: rule.Medium, Levels: rule.Everywhere,
		Check: rule.AcrossTypes(func(s *rule.Subject) {
			name := value.As[value.String](s.View().Get("serviceAccount"))
			accounts := rule.Every[k8sview.ServiceAccount](s.Graph)
			namespace := resolveName(s.Graph, s.Resource, value.As[value.String](s.View().Get("namespace")), "namespace", k8sview.Namespace{}.Token())
			isSystem := namespace.Is("kube-system")
			s.Must(value.Any(isSystem, accounts.Any(func(_ *graph.Resource, a k8sview.ServiceAccount) value.Truth {
				return a.Metadata().Name().Equals(name)
			})), "no service account %s is in the stack", name.Text())
		}, "aws:eks/podIdentityAssociation:PodIdentityAssociation"),
	},
}

// runsServices reports whether a namespace has the Deployment of one of the platform's
// services.
func runsServices(g *graph.Graph, namespace value.String) value.Truth {
	var services []string
	for _, service := range scaling.Services() {
		services = append(services, service.Name)
	}
	return rule.Every[k8sview.Deployment](g).Any(func(r *graph.Resource, d k8sview.Deployment) value.Truth {
		return value.All(d.Metadata().Name().In(services...), resolveNamespace(g, r).Equals(namespace))
	})
}

// hasAdmissionPolicy reports whether a ValidatingAdmissionPolicy is bound to a namespace. The
// policy must fail closed, and the binding must have the action Deny.
func hasAdmissionPolicy(g *graph.Graph, namespace value.String) value.Truth {
	policies := rule.Every[k8sview.ValidatingAdmissionPolicy](g)
	return rule.Every[k8sview.ValidatingAdmissionPolicyBinding](g).Any(func(r *graph.Resource, b k8sview.ValidatingAdmissionPolicyBinding) value.Truth {
		selected := b.Spec().MatchResources().NamespaceSelector().MatchLabels().Entry("kubernetes.io/metadata.name")
		boundNamespace := resolveName(g, r, selected, "spec", k8sview.Namespace{}.Token())
		policyName := resolveName(g, r, b.Spec().PolicyName(), "spec", k8sview.ValidatingAdmissionPolicy{}.Token())
		failsClosed := policies.Any(func(_ *graph.Resource, p k8sview.ValidatingAdmissionPolicy) value.Truth {
			return value.All(p.Metadata().Name().Equals(policyName), p.Spec().FailurePolicy().Or("Fail").Is("Fail"))
		})
		return value.All(boundNamespace.Equals(namespace), value.HasText(b.Spec().ValidationActions(), "Deny"), failsClosed)
	})
}

// rbacRule returns a policy rule on RBAC roles. It requires that isAllowed is true for each RBAC
// rule of a role. message is the text of a violation.
func rbacRule(id, title, why string, standards []string, isAllowed func(*rule.Subject, k8sview.PolicyRule) value.Truth, message string) *rule.Rule {
	return &rule.Rule{
		ID: id, Title: title, Why: why, Fix: "the component that creates the role: its rules", Severity: rule.High, Levels: rule.Everywhere, Standards: standards,
		Check: rule.OnTypes(func(s *rule.Subject) {
			s.Must(listRBACRules(s).All(func(g k8sview.PolicyRule) value.Truth { return isAllowed(s, g) }), "%s", message)
		}, roleTypes...),
	}
}
