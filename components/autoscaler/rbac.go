package autoscaler

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/autoscaler/manifest"
)

const rbacGroup = "rbac.authorization.k8s.io"

// createRBAC creates the autoscaler's service account, and binds it to a ClusterRole and a
// Role with the rules of package manifest.
func (b *builder) createRBAC() error {
	serviceAccount, err := corev1.NewServiceAccount(b.ctx, b.name, &corev1.ServiceAccountArgs{Metadata: objectMeta()}, b.parent)
	if err != nil {
		return fmt.Errorf("service account of %s: %w", b.name, err)
	}
	subjects := rbacv1.SubjectArray{&rbacv1.SubjectArgs{
		Kind: pulumi.String("ServiceAccount"), Name: serviceAccount.Metadata.Name().Elem(), Namespace: pulumi.String(namespace),
	}}
	clusterMeta := &metav1.ObjectMetaArgs{Name: pulumi.String(appName), Labels: labels()}

	clusterRole, err := rbacv1.NewClusterRole(b.ctx, b.name, &rbacv1.ClusterRoleArgs{Metadata: clusterMeta, Rules: policyRules(manifest.ClusterRules())}, b.parent)
	if err != nil {
		return fmt.Errorf("cluster role of %s: %w", b.name, err)
	}
	clusterBinding, err := rbacv1.NewClusterRoleBinding(b.ctx, b.name, &rbacv1.ClusterRoleBindingArgs{
		Metadata: clusterMeta,
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("ClusterRole"), Name: clusterRole.Metadata.Name().Elem()},
		Subjects: subjects,
	}, b.parent)
	if err != nil {
		return fmt.Errorf("cluster role binding of %s: %w", b.name, err)
	}
	role, err := rbacv1.NewRole(b.ctx, b.name, &rbacv1.RoleArgs{Metadata: objectMeta(), Rules: policyRules(manifest.NamespaceRules())}, b.parent)
	if err != nil {
		return fmt.Errorf("Kubernetes role of %s: %w", b.name, err)
	}
	binding, err := rbacv1.NewRoleBinding(b.ctx, b.name, &rbacv1.RoleBindingArgs{
		Metadata: objectMeta(),
		RoleRef:  &rbacv1.RoleRefArgs{ApiGroup: pulumi.String(rbacGroup), Kind: pulumi.String("Role"), Name: role.Metadata.Name().Elem()},
		Subjects: subjects,
	}, b.parent)
	if err != nil {
		return fmt.Errorf("role binding of %s: %w", b.name, err)
	}
	b.dependencies = append([]pulumi.Resource{serviceAccount, clusterBinding, binding}, b.dependencies...)
	return nil
}

// policyRules converts rules to the type of the Kubernetes SDK.
func policyRules(rules []manifest.Rule) rbacv1.PolicyRuleArray {
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
