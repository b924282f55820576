package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// addonVersionRange is a range of an add-on's minor versions in one major version, such as
// v1.18 to v1.22.
type addonVersionRange struct {
	major     string
	low, high int // the first and the last minor version
}

// eksAddonVersions are the versions of the platform's add-ons. On 2026-11-23, public source
// code for Kubernetes 1.33 to 1.36 had these versions: vpc-cni v1.20.4 to v1.22.4,
// coredns v1.12.4 to v1.14.3, aws-ebs-csi-driver v1.54.0 to v1.66.0, metrics-server
// v0.8.0 to v0.9.0, eks-pod-identity-agent v1.3.10, and
// aws-secrets-store-csi-driver-provider v2.1.1, v2.2.2 and v3.1.3. The lower minor
// versions were found in source code for older clusters. kube-proxy is not in the table,
// because it has the version of the cluster.
var eksAddonVersions = map[string][]addonVersionRange{
	"vpc-cni":                               {{"v1", 18, 22}},
	"coredns":                               {{"v1", 11, 14}},
	"aws-ebs-csi-driver":                    {{"v1", 35, 66}},
	"metrics-server":                        {{"v0", 7, 9}},
	"eks-pod-identity-agent":                {{"v1", 3, 3}},
	"aws-secrets-store-csi-driver-provider": {{"v2", 1, 2}, {"v3", 1, 1}},
}

// verifyAddonVersion returns an error for a version that an add-on does not have. An add-on
// without versions in eksAddonVersions may have any version, except for kube-proxy.
func verifyAddonVersion(name, version, kubernetesVersion string) error {
	if name == "kube-proxy" && !strings.HasPrefix(version, "v"+kubernetesVersion+".") {
		return refuse("InvalidParameterException", "Addon version specified is not supported: kube-proxy %s on Kubernetes %s", version, kubernetesVersion)
	}
	ranges, known := eksAddonVersions[name]
	if !known {
		return nil
	}
	major, _, _ := strings.Cut(version, ".")
	minor := minorVersion(version)
	var allowed []string
	for _, r := range ranges {
		if major == r.major && minor >= r.low && minor <= r.high {
			return nil
		}
		allowed = append(allowed, fmt.Sprintf("%s.%d to %s.%d", r.major, r.low, r.major, r.high))
	}
	return refuse("InvalidParameterException", "Addon version specified is not supported: %s %s; the stand-in supports %s (sandbox/aws/rules/eks_addon.go)",
		name, version, strings.Join(allowed, ", "))
}

// eksAddonKeys has the configuration keys that the stand-in accepts for each add-on.
// EKS's own list is the output of `aws eks describe-addon-configuration`. Most keys are
// from the Helm charts from which AWS builds the add-ons:
//
//   - aws/amazon-vpc-cni-k8s charts/aws-vpc-cni/values.yaml
//   - kubernetes-sigs/secrets-store-csi-driver
//     charts/secrets-store-csi-driver/values.yaml (the add-on has these keys below the key
//     secrets-store-csi-driver)
//   - kubernetes-sigs/aws-ebs-csi-driver charts/aws-ebs-csi-driver/values.yaml
//
// The keys of coredns and kube-proxy are from eks/latest/userguide/eks-add-ons.html.
var eksAddonKeys = map[string][]string{
	"vpc-cni":                               {"enableNetworkPolicy", "enableWindowsIpam", "env", "eniConfig", "init", "livenessProbeTimeoutSeconds", "nodeAgent", "readinessProbeTimeoutSeconds", "resources", "tolerations"},
	"coredns":                               {"affinity", "autoScaling", "computeType", "corefile", "nodeSelector", "podAnnotations", "podDisruptionBudget", "podLabels", "replicaCount", "resources", "tolerations", "topologySpreadConstraints"},
	"kube-proxy":                            {"ipvs", "mode", "podAnnotations", "podLabels", "resources"},
	"aws-ebs-csi-driver":                    {"controller", "defaultStorageClass", "node", "sidecars"},
	"aws-secrets-store-csi-driver-provider": {"secrets-store-csi-driver", "tolerations", "resources", "nodeSelector", "affinity"},
}

// verifyAddonConfiguration returns an error for configuration values that are not a JSON
// object, or that have a key outside of the add-on's schema.
func verifyAddonConfiguration(name, values string) error {
	if values == "" {
		return nil
	}
	var configuration map[string]any
	if err := json.Unmarshal([]byte(values), &configuration); err != nil {
		return refuse("InvalidParameterException", "ConfigurationValue provided in request is not a valid JSON object: %v", err)
	}
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		if !slices.Contains(eksAddonKeys[name], key) {
			return refuse("InvalidParameterException", "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "+
				"[$.%s: is not defined in the schema and the schema does not allow additional properties] (the stand-in supports %v of %s)", key, eksAddonKeys[name], name)
		}
	}
	return nil
}
