package kubernetes

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rule is a field that the API server does not let change, or, for ConfigMaps
// and Secrets, that the real provider replaces so that pods notice.
type rule struct {
	// Field is the path; all below it is meant as well. A star is any place in
	// a list.
	Field string
	// Except are fields below Field that may change.
	Except []string
	// Unless is a setting that lifts the rule.
	Unless func(config) bool
}

// everyKind holds for all objects.
var everyKind = []rule{{Field: "metadata.name"}, {Field: "metadata.namespace"}}

var workload = []rule{{Field: "spec.selector"}}

// immutable is by kind what makes a change a replacement. Sources are the
// ValidateUpdate functions of k8s.io/kubernetes v1.34 (pkg/apis/*/validation)
// and, for ConfigMap and Secret, the documentation of the real provider
// (enableConfigMapMutable, enableSecretMutable). What is not in the table and
// the API server still refuses fails in the preview already, by dry run.
var immutable = map[schema.GroupKind][]rule{
	{Group: "apps", Kind: "DaemonSet"}:   workload,
	{Group: "apps", Kind: "Deployment"}:  workload,
	{Group: "apps", Kind: "ReplicaSet"}:  workload,
	{Group: "apps", Kind: "StatefulSet"}: {{Field: "spec.selector"}, {Field: "spec.serviceName"}, {Field: "spec.podManagementPolicy"}, {Field: "spec.volumeClaimTemplates"}},
	{Group: "batch", Kind: "Job"}: {
		{Field: "spec.completions"}, {Field: "spec.completionMode"}, {Field: "spec.selector"}, {Field: "spec.manualSelector"},
		{Field: "spec.template"}, {Field: "spec.podFailurePolicy"}, {Field: "spec.successPolicy"}, {Field: "spec.backoffLimitPerIndex"}, {Field: "spec.managedBy"},
	},
	{Kind: "ConfigMap"}: {
		{Field: "data", Unless: func(c config) bool { return c.MutableConfigMaps }},
		{Field: "binaryData", Unless: func(c config) bool { return c.MutableConfigMaps }},
	},
	{Kind: "Secret"}: {
		{Field: "type"},
		{Field: "data", Unless: func(c config) bool { return c.MutableSecrets }},
		{Field: "stringData", Unless: func(c config) bool { return c.MutableSecrets }},
	},
	{Kind: "Service"}:               {{Field: "spec.clusterIP"}, {Field: "spec.clusterIPs"}},
	{Kind: "PersistentVolumeClaim"}: {{Field: "spec", Except: []string{"spec.resources.requests", "spec.volumeAttributesClassName"}}},
	{Kind: "PersistentVolume"}: {{Field: "spec", Except: []string{
		"spec.capacity", "spec.accessModes", "spec.persistentVolumeReclaimPolicy", "spec.storageClassName", "spec.claimRef",
		"spec.mountOptions", "spec.volumeAttributesClassName", "spec.nodeAffinity",
	}}},
	{Kind: "Pod"}: {{Field: "spec", Except: []string{
		"spec.containers[*].image", "spec.initContainers[*].image", "spec.activeDeadlineSeconds", "spec.tolerations", "spec.schedulingGates",
	}}},
	{Kind: "ResourceQuota"}:                                          {{Field: "spec.scopes"}, {Field: "spec.scopeSelector"}},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        {{Field: "roleRef"}},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: {{Field: "roleRef"}},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  {{Field: "parameters"}, {Field: "provisioner"}, {Field: "reclaimPolicy"}, {Field: "volumeBindingMode"}},
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                     {{Field: "spec.attachRequired"}, {Field: "spec.volumeLifecycleModes"}},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:              {{Field: "value"}, {Field: "preemptionPolicy"}},
	{Group: "networking.k8s.io", Kind: "IngressClass"}:               {{Field: "spec.controller"}},
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                     {{Field: "handler"}},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {
		{Field: "spec.group"}, {Field: "spec.scope"}, {Field: "spec.names.plural"}, {Field: "spec.names.kind"},
	},
}

// replacedBy says whether a change at p makes an object of the kind a new one.
func replacedBy(gk schema.GroupKind, p path, c config) bool {
	at := general(p)
	if at == "kind" {
		return true
	}
	for _, rules := range [][]rule{everyKind, immutable[gk]} {
		for _, r := range rules {
			if r.Unless != nil && r.Unless(c) || !within(at, r.Field) {
				continue
			}
			excepted := false
			for _, e := range r.Except {
				excepted = excepted || within(at, e)
			}
			if !excepted {
				return true
			}
		}
	}
	return false
}

// general renders a path with a star for each place in a list.
func general(p path) string {
	var b strings.Builder
	for _, step := range p {
		if s, ok := step.(string); ok {
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s)
		} else {
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// within says whether at is field or lies below it.
func within(at, field string) bool {
	rest, ok := strings.CutPrefix(at, field)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
