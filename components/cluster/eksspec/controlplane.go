package eksspec

import (
	"fmt"
	"slices"
	"strings"
)

// Zones checks the zones of a control plane: at least two, none twice, and each
// with a subnet. EKS can't change the zones of a cluster (EKS User Guide, "VPC
// requirements and considerations"). So they are configured separately, and a
// new zone of the network does not change them.
func Zones(zones, available []string) error {
	if len(zones) < 2 {
		return fmt.Errorf("control plane zones %v: EKS needs at least two", zones)
	}
	for i, z := range zones {
		if slices.Contains(zones[:i], z) {
			return fmt.Errorf("control plane zone %s is named twice", z)
		}
		if !slices.Contains(available, z) {
			return fmt.Errorf("control plane zone %s has no subnet; the network has %s", z, strings.Join(slices.Sorted(slices.Values(available)), ", "))
		}
	}
	return nil
}

// Admin gives the name by which an administrator's resources are known: the
// last part of the ARN of an IAM role or user. STS sessions are refused,
// because an access entry is for whom they belong to.
func Admin(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" {
		kind, path, found := strings.Cut(parts[5], "/")
		if name := path[strings.LastIndex(path, "/")+1:]; found && name != "" && (kind == "role" || kind == "user") {
			return name, nil
		}
	}
	return "", fmt.Errorf("administrator %q: must be the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/platform", arn)
}
