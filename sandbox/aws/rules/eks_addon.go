package rules

import (
	"fmt"
	"strings"
)

// addonLine is a range of minor versions of one major version.
type addonLine struct {
	major     string
	low, high int
}

// eksAddonLines are the versions of the add-ons that the platform uses, as
// found in public programs for Kubernetes 1.33 to 1.36, up to September 2026
// (looked up on 2026-11-23): among them vpc-cni v1.20.4 to v1.22.4, coredns
// v1.12.4 to v1.14.3, aws-ebs-csi-driver v1.54.0 to v1.63.1, metrics-server
// v0.8.0 and v0.8.1, eks-pod-identity-agent v1.3.10, and
// aws-secrets-store-csi-driver-provider v2.1.1, v2.2.2 and v3.1.3. Older ones
// are let in as far as they were seen with clusters of before. kube-proxy has
// the version of its cluster.
var eksAddonLines = map[string][]addonLine{
	"vpc-cni":                               {{"v1", 18, 22}},
	"coredns":                               {{"v1", 11, 14}},
	"aws-ebs-csi-driver":                    {{"v1", 35, 63}},
	"metrics-server":                        {{"v0", 7, 8}},
	"eks-pod-identity-agent":                {{"v1", 3, 3}},
	"aws-secrets-store-csi-driver-provider": {{"v2", 1, 2}, {"v3", 1, 1}},
}

// verifyAddonVersion refuses a version that an add-on was not seen with.
func verifyAddonVersion(name, version, kubernetes string) error {
	if name == "kube-proxy" && !strings.HasPrefix(version, "v"+kubernetes+".") {
		return refuse("InvalidParameterException", "Addon version specified is not supported: kube-proxy %s on Kubernetes %s", version, kubernetes)
	}
	lines, known := eksAddonLines[name]
	if !known {
		return nil
	}
	var shown []string
	for _, l := range lines {
		if major, _, _ := strings.Cut(version, "."); major == l.major && minorOf(version) >= l.low && minorOf(version) <= l.high {
			return nil
		}
		shown = append(shown, fmt.Sprintf("%s.%d to %s.%d", l.major, l.low, l.major, l.high))
	}
	return refuse("InvalidParameterException", "Addon version specified is not supported: %s %s; the stand-in knows %s (sandbox/aws/rules/eks_addon.go)",
		name, version, strings.Join(shown, ", "))
}
