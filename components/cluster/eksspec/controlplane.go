package eksspec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// minZones is the minimum number of zones of a control plane (EKS User Guide, "VPC
// requirements and considerations").
const minZones = 2

// CheckZones checks the zones of a control plane: at least two, none twice, and each
// with a subnet. available are the zones that have subnets. EKS can't change the zones
// of a cluster (EKS User Guide, "VPC requirements and considerations"). So the zones
// have their own configuration key, and a new zone of the network does not change them.
func CheckZones(zones, available []string) error {
	if len(zones) < minZones {
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

// AdminName returns the name that an administrator's resources get: the last part of the ARN of an
// IAM role or user. AdminName refuses the ARN of an STS session, because an access entry needs the
// role or user of the session. It also refuses a service-linked role, and a role of IAM Identity
// Center without its path.
func AdminName(arn string) (string, error) {
	match := adminARNPattern.FindStringSubmatch(arn)
	if match == nil {
		return "", fmt.Errorf("administrator %q: must be the ARN of an IAM role or user, such as arn:aws:iam::123456789012:role/platform", arn)
	}
	kind, path, name := match[1], match[2], match[3]
	switch {
	case kind == "role" && strings.HasPrefix(name, ssoPrefix) && !strings.HasPrefix(path, ssoPath):
		return "", fmt.Errorf("administrator %q: a role of IAM Identity Center matches with its whole path only: write role/%sREGION/%s, as `aws iam get-role` shows it", arn, ssoPath, name)
	case kind == "role" && strings.HasPrefix(path, "aws-service-role/"):
		return "", fmt.Errorf("administrator %q: EKS allows no access entry for a service-linked role", arn)
	}
	return name, nil
}

// adminARNPattern matches the ARN of an IAM role or user. Its groups are the kind, the path and the
// name (IAM User Guide, "IAM identifiers").
var adminARNPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/((?:[!-.0-~]+/)*)([A-Za-z0-9+=,.@_-]{1,64})$`)

// The names and paths of roles of IAM Identity Center begin with these texts. An access
// entry needs the path; the older ConfigMap aws-auth did not allow it (IAM Identity
// Center User Guide, "Referencing permission sets").
const (
	ssoPrefix = "AWSReservedSSO_"
	ssoPath   = "aws-reserved/sso.amazonaws.com/"
)

// CheckAdmins checks the administrators of a cluster. The result has an error
// or nil for each of arns. Two administrators with the same name are refused, because their
// Pulumi resources would also have the same name. Names that differ only in case are the same,
// as in IAM (IAM User Guide, "IAM and AWS STS quotas").
func CheckAdmins(arns []string) []error {
	errs := make([]error, len(arns))
	names := map[string]string{}
	for i, arn := range arns {
		name, err := AdminName(arn)
		earlier, taken := names[strings.ToLower(name)]
		switch {
		case err != nil:
			errs[i] = err
		case taken && earlier == arn:
			errs[i] = fmt.Errorf("administrator %q is listed twice", arn)
		case taken:
			errs[i] = fmt.Errorf("administrators %q and %q have one name, %s, which their resources would share: rename one, or let both assume one role", earlier, arn, name)
		default:
			names[strings.ToLower(name)] = arn
		}
	}
	return errs
}
