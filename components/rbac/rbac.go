// Package rbac creates the Kubernetes permissions of a service account: roles and
// their bindings.
package rbac

import (
	"fmt"

	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// apiGroup is the API group of Roles and ClusterRoles.
const apiGroup = "rbac.authorization.k8s.io"

// Rule allows the verbs on the resources of the API groups. Names limits the rule to
// objects with these names. Empty means all objects.
type Rule struct{ Groups, Resources, Names, Verbs []string }

// Account is a service account.
type Account struct {
	Name      string
	Namespace pulumi.StringInput
}

// Grant creates the permissions of an account.
type Grant struct {
	Context *pulumi.Context
	// Account is the service account that gets the permissions.
	Account Account
	// Options are the options of every object, such as its parent.
	Options []pulumi.ResourceOption
}

// InNamespace grants the account the rules in one namespace, and returns the binding. name is the
// name of the resources in Pulumi. objectName is the name of the Role and of its binding in
// Kubernetes.
func (g *Grant) InNamespace(name, objectName string, namespace pulumi.StringInput, rules ...Rule) (pulumi.Resource, error) {
	meta := &metav1.ObjectMetaArgs{Name: pulumi.String(objectName), Namespace: namespace}
	role, err := rbacv1.NewRole(g.Context, name, &rbacv1.RoleArgs{Metadata: meta, Rules: policyRules(rules)}, g.Options...)
	if err != nil {
		return nil, fmt.Errorf("role %s: %w", name, err)
	}
	return g.bind(name, meta, &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(apiGroup), Kind: pulumi.String("Role"), Name: role.Metadata.Name().Elem()})
}

// ExistingRole grants a Role that every cluster has, such as
// extension-apiserver-authentication-reader. namespace is the namespace of the Role.
func (g *Grant) ExistingRole(name, objectName, role, namespace string) (pulumi.Resource, error) {
	meta := &metav1.ObjectMetaArgs{Name: pulumi.String(objectName), Namespace: pulumi.String(namespace)}
	return g.bind(name, meta, &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(apiGroup), Kind: pulumi.String("Role"), Name: pulumi.String(role)})
}

// bind binds a Role to the account.
func (g *Grant) bind(name string, meta *metav1.ObjectMetaArgs, role *rbacv1.RoleRefArgs) (pulumi.Resource, error) {
	binding, err := rbacv1.NewRoleBinding(g.Context, name, &rbacv1.RoleBindingArgs{Metadata: meta, RoleRef: role, Subjects: g.subjects()}, g.Options...)
	if err != nil {
		return nil, fmt.Errorf("role binding %s: %w", name, err)
	}
	return binding, nil
}

// InCluster grants the account the rules in the whole cluster: for objects in all namespaces, and
// for objects without a namespace. It returns the binding.
func (g *Grant) InCluster(name, objectName string, rules ...Rule) (pulumi.Resource, error) {
	role, err := rbacv1.NewClusterRole(g.Context, name, &rbacv1.ClusterRoleArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(objectName)}, Rules: policyRules(rules),
	}, g.Options...)
	if err != nil {
		return nil, fmt.Errorf("cluster role %s: %w", name, err)
	}
	return g.bindInCluster(name, objectName, role.Metadata.Name().Elem())
}

// ExistingClusterRole grants a ClusterRole that every cluster has, such as
// system:auth-delegator.
func (g *Grant) ExistingClusterRole(name, objectName, role string) (pulumi.Resource, error) {
	return g.bindInCluster(name, objectName, pulumi.String(role))
}

// bindInCluster binds a ClusterRole to the account.
func (g *Grant) bindInCluster(name, objectName string, role pulumi.StringInput) (pulumi.Resource, error) {
	binding, err := rbacv1.NewClusterRoleBinding(g.Context, name, &rbacv1.ClusterRoleBindingArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(objectName)},
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(apiGroup), Kind: pulumi.String("ClusterRole"), Name: role},
		Subjects: g.subjects(),
	}, g.Options...)
	if err != nil {
		return nil, fmt.Errorf("cluster role binding %s: %w", name, err)
	}
	return binding, nil
}

// subjects returns the account as the subject of a binding.
func (g *Grant) subjects() rbacv1.SubjectArray {
	return rbacv1.SubjectArray{&rbacv1.SubjectArgs{
		Kind: pulumi.String("ServiceAccount"), Name: pulumi.String(g.Account.Name), Namespace: g.Account.Namespace,
	}}
}

// policyRules converts rules to the type of the Kubernetes SDK.
func policyRules(rules []Rule) rbacv1.PolicyRuleArray {
	var kubernetesRules rbacv1.PolicyRuleArray
	for _, r := range rules {
		rule := &rbacv1.PolicyRuleArgs{
			ApiGroups: pulumi.ToStringArray(r.Groups),
			Resources: pulumi.ToStringArray(r.Resources),
			Verbs:     pulumi.ToStringArray(r.Verbs),
		}
		if len(r.Names) > 0 {
			rule.ResourceNames = pulumi.ToStringArray(r.Names)
		}
		kubernetesRules = append(kubernetesRules, rule)
	}
	return kubernetesRules
}
