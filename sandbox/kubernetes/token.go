package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// packageName is the first part of every type of this provider.
const packageName = "kubernetes"

// pluginVersion is the version of the SDK whose provider this stands in for.
const pluginVersion = "4.30.0"

// realPlugin is the mend for what only the real provider can.
const realPlugin = "it needs the real provider: `pulumi plugin install resource kubernetes " + pluginVersion +
	"`, after which `make up` uses that one"

// notObjects are the modules of the SDK that hold more than API objects.
var notObjects = map[string]string{
	"helm.sh/v3":   "Helm releases and charts",
	"helm.sh/v4":   "Helm charts",
	"yaml":         "YAML files",
	"yaml/v2":      "YAML files",
	"kustomize":    "Kustomize directories",
	"kustomize/v2": "Kustomize directories",
}

// parseType reads a resource type, kubernetes:GROUP/VERSION:KIND, where the
// core group is written "core" or left out.
func parseType(token string) (schema.GroupVersionKind, error) {
	parts := strings.Split(token, ":")
	if len(parts) != 3 || parts[0] != packageName {
		return schema.GroupVersionKind{}, fmt.Errorf("%s is no type of this provider: types are kubernetes:GROUP/VERSION:KIND", token)
	}
	module, kind := parts[1], parts[2]
	if what, ok := notObjects[module]; ok {
		return schema.GroupVersionKind{}, fmt.Errorf("%s: the stand-in for the Kubernetes provider knows API objects only, no %s; %s", token, what, realPlugin)
	}
	gv, err := schema.ParseGroupVersion(module)
	if err != nil || gv.Version == "" || kind == "" {
		return schema.GroupVersionKind{}, fmt.Errorf("%s: %q is no API version, such as apps/v1", token, module)
	}
	if gv.Group == "core" {
		gv.Group = ""
	}
	gvk := gv.WithKind(kind)
	if builtIn(gvk.Group) {
		for _, suffix := range []string{"Patch", "List"} {
			if strings.HasSuffix(kind, suffix) && kind != suffix {
				return schema.GroupVersionKind{}, fmt.Errorf("%s: the stand-in for the Kubernetes provider knows no %s resources; declare the %s itself, or %s",
					token, suffix, strings.TrimSuffix(kind, suffix), realPlugin)
			}
		}
	}
	return gvk, nil
}

// typeOf is parseType's inverse.
func typeOf(gvk schema.GroupVersionKind) string {
	group := gvk.Group
	if group == "" {
		group = "core"
	}
	return packageName + ":" + group + "/" + gvk.Version + ":" + gvk.Kind
}

// builtIn says whether the API server itself serves the group; all others come
// from custom resource definitions and aggregated servers.
func builtIn(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io") && !slices.Contains(extensionGroups, group)
}

// extensionGroups end in .k8s.io and yet are not the API server's own.
var extensionGroups = []string{
	"gateway.networking.k8s.io", "snapshot.storage.k8s.io", "metrics.k8s.io", "custom.metrics.k8s.io",
	"external.metrics.k8s.io", "autoscaling.k8s.io", "policy.networking.k8s.io",
}

// clusterScoped are the built-in kinds that live in no namespace. With the
// table at hand a preview in which nothing changed asks the API server nothing.
var clusterScoped = map[schema.GroupKind]bool{
	{Kind: "ComponentStatus"}:  true,
	{Kind: "Namespace"}:        true,
	{Kind: "Node"}:             true,
	{Kind: "PersistentVolume"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}:          true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicyBinding"}:   true,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: true,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:                 true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}:                 true,
	{Group: "certificates.k8s.io", Kind: "ClusterTrustBundle"}:                        true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}:                       true,
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}:       true,
	{Group: "internal.apiserver.k8s.io", Kind: "StorageVersion"}:                      true,
	{Group: "networking.k8s.io", Kind: "IPAddress"}:                                   true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                                true,
	{Group: "networking.k8s.io", Kind: "ServiceCIDR"}:                                 true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                      true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                         true,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                  true,
	{Group: "resource.k8s.io", Kind: "DeviceClass"}:                                   true,
	{Group: "resource.k8s.io", Kind: "DeviceTaintRule"}:                               true,
	{Group: "resource.k8s.io", Kind: "ResourceSlice"}:                                 true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                               true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                      true,
	{Group: "storage.k8s.io", Kind: "CSINode"}:                                        true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                   true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:                               true,
	{Group: "storage.k8s.io", Kind: "VolumeAttributesClass"}:                          true,
	{Group: "storagemigration.k8s.io", Kind: "StorageVersionMigration"}:               true,
}

// objectID is the identity that Pulumi keeps of an object: NAMESPACE/NAME, or
// NAME alone for a kind that lives in no namespace.
func objectID(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

func parseID(id string) (namespace, name string) {
	if before, after, ok := strings.Cut(id, "/"); ok {
		return before, after
	}
	return "", id
}
