package config

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/cluster/eksspec"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/scaling"
)

var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	imageID   = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)
	vpcID     = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
	subnetID  = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
	// policyARN matches an IAM policy of the account or of AWS (IAM API, "Identifiers").
	policyARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([!-~]{1,510}/)?[A-Za-z0-9+=,.@_-]{1,128}$`)
)

// validate checks the whole configuration, and sets the fields that it parses, such as the VPC's
// block. It checks every rule of the components' constructors, so that no constructor fails later.
// unread has the problems of the values that could not be read.
func validate(s *Stack, o options, unread field.ErrorList) field.ErrorList {
	problems := validateEffects(s)
	add := func(p ...*field.Error) { problems = append(problems, p...) }

	regionPath := field.NewPath(regionKey)
	if s.Region == "" {
		add(field.Required(regionPath, "the AWS region of the stack, such as us-east-1"))
	} else if err := regions.Check(s.Region); err != nil {
		add(field.Invalid(regionPath, s.Region, err.Error()))
	}
	if s.Environment == "" {
		add(field.Required(path("environment"), "names the stack's resources, such as staging"))
	} else if !routing.EnvironmentPattern.MatchString(s.Environment) {
		add(field.Invalid(path("environment"), s.Environment, "must be 1 to 12 lower-case letters and digits and begin with a letter"))
	}
	if s.Account == "" {
		add(field.Required(path("account"), "the only AWS account that the stack may change: twelve digits, in quotes; "+standInAccount+" in a sandbox"))
	} else if !accountID.MatchString(s.Account) {
		add(field.Invalid(path("account"), s.Account, `must be twelve digits; quote it in YAML, as in "012345678901"`))
	}
	if len(validation.IsDNS1123Subdomain(s.StorageClass)) > 0 {
		add(field.Invalid(path("storageClass"), s.StorageClass, "must be the name of a StorageClass: lower-case letters, digits, - and . between them"))
	}
	add(validateChoices(nil, reflect.ValueOf(*s), false)...)
	add(validateBoundary(s)...)
	add(validateAWS(s)...)
	add(validatePlaceholders(s)...)
	add(validateNetwork(s)...)
	add(validateCluster(s)...)
	add(validateSupport(s, o.today)...)
	add(validateTiers(s)...)
	add(validateAuth(s.Auth)...)
	add(validateEdge(s)...)
	add(validateStores(s)...)
	add(validateServices(s.Services)...)
	add(validatePodScaling(s)...)
	add(validateRelease(s)...)
	add(validateSigners(s)...)
	add(validateGates(s)...)
	add(validateFiles(s, o.files, o.today)...)
	for _, rule := range multiKeyRules {
		if !hasProblemWithin(append(problems, unread...), rule.reads) {
			add(rule.check(s)...)
		}
	}
	return problems
}

// multiKeyRules are the rules about several keys. A rule is checked only if the keys that it reads
// have no problem of their own.
var multiKeyRules = []struct {
	reads []string
	check func(*Stack) field.ErrorList
}{
	{[]string{"cluster", "tiers", "images", "postgres", "redis"}, validateArchitecture},
	{[]string{"services", "postgres"}, validateConnections},
	{[]string{"cluster", "tiers", "services", "postgres", "redis"}, validateNodes},
	{[]string{"cluster", "tiers", "network"}, validateAddresses},
}

// hasProblemWithin reports whether a problem is at one of the keys or within it.
func hasProblemWithin(problems field.ErrorList, keys []string) bool {
	return slices.ContainsFunc(problems, func(p *field.Error) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return isWithin(p.Field, path(key).String()) })
	})
}

// validateBoundary checks the ARN of the permissions boundary.
func validateBoundary(s *Stack) field.ErrorList {
	keyPath, arn := path("permissionsBoundary"), s.PermissionsBoundary
	if arn == "" {
		return nil
	}
	match := policyARN.FindStringSubmatch(arn)
	if match == nil {
		return field.ErrorList{field.Invalid(keyPath, arn, "must be the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/boundary")}
	}
	if err := regions.CheckARN(s.Region, arn); err != nil {
		return field.ErrorList{field.Invalid(keyPath, arn, err.Error())}
	}
	if match[1] != "aws" && s.Account != "" && match[1] != s.Account {
		return field.ErrorList{field.Invalid(keyPath, arn, "is a policy of another account than "+s.Account+"; a permissions boundary is in the account of its roles")}
	}
	return nil
}

// validateNetwork checks the CIDR block and the zones of a VPC that the stack creates, or the ids of
// an existing VPC. For a new VPC it sets Network.Block.
func validateNetwork(s *Stack) field.ErrorList {
	var problems field.ErrorList
	keyPath := path("network")
	if s.Network.VPCID != "" {
		return validateExistingVPC(keyPath, &s.Network)
	}
	if s.Network.CIDR == "" {
		problems = append(problems, field.Required(keyPath.Child("cidr"), "the VPC's IPv4 block, such as 10.0.0.0/16"))
	} else if block, err := subnet.ParseVPC(s.Network.CIDR); err != nil {
		problems = append(problems, field.Invalid(keyPath.Child("cidr"), s.Network.CIDR, err.Error()))
	} else {
		s.Network.Block = block
	}
	if len(s.Network.Zones) == 0 {
		return append(problems, field.Required(keyPath.Child("zones"), "2 to 6 zones of the region, such as [us-east-1a, us-east-1b]"))
	}
	if regions.Check(s.Region) != nil {
		return problems
	}
	for _, err := range subnet.CheckZones(s.Region, s.Network.Zones) {
		problems = append(problems, field.Invalid(keyPath.Child("zones"), strings.Join(s.Network.Zones, ", "), err.Error()))
	}
	for i, zone := range s.Network.Zones {
		if err := regions.CheckZone(s.Region, zone); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("zones").Index(i), zone, err.Error()))
		}
	}
	return problems
}

// validateExistingVPC checks the form of the ids of an existing VPC, and sets the default of the
// stores' subnets. A preview looks the ids up and checks the rest.
func validateExistingVPC(keyPath *field.Path, n *Network) field.ErrorList {
	var problems field.ErrorList
	if !vpcID.MatchString(n.VPCID) {
		problems = append(problems, field.Invalid(keyPath.Child("vpcId"), n.VPCID, "must be the id of a VPC, such as vpc-0123456789abcdef0"))
	}
	if len(n.PrivateSubnetIDs) == 0 {
		problems = append(problems, field.Required(keyPath.Child("privateSubnetIds"), "the private subnets of the VPC, one of each zone"))
	}
	for key, ids := range map[string][]string{"privateSubnetIds": n.PrivateSubnetIDs, "databaseSubnetIds": n.DatabaseSubnetIDs} {
		for i, id := range ids {
			if !subnetID.MatchString(id) {
				problems = append(problems, field.Invalid(keyPath.Child(key).Index(i), id, "must be the id of a subnet, such as subnet-0123456789abcdef0"))
			}
		}
	}
	if len(n.DatabaseSubnetIDs) == 0 {
		n.DatabaseSubnetIDs = n.PrivateSubnetIDs
	}
	return problems
}

// validateCluster checks the zones, the administrators, the upgrade stage and the access of the
// cluster. If the zones are not set, PlacementFields chooses them when the ids of the account's zones
// are known.
func validateCluster(s *Stack) field.ErrorList {
	var problems field.ErrorList
	keyPath := path("cluster")
	c := s.Cluster
	if s.isSet("cluster.zones") && s.Network.VPCID == "" { // else the zones are not known yet
		if err := eksspec.CheckZones(c.Zones, s.Network.Zones); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("zones"), strings.Join(c.Zones, ", "), err.Error()))
		}
	}
	if !s.isSet("cluster.admins") {
		problems = append(problems, field.Required(keyPath.Child("admins"),
			"ARNs of IAM roles or users that administer the cluster in addition to its creator: without one, nobody has access when the creator's identity is lost"))
	}
	for i, err := range eksspec.CheckAdmins(c.Admins) {
		if err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("admins").Index(i), c.Admins[i], err.Error()))
		} else if err := regions.CheckARN(s.Region, c.Admins[i]); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("admins").Index(i), c.Admins[i], err.Error()))
		} else if c.Admins[i] == s.AWS.AssumeRole.RoleARN {
			problems = append(problems, field.Invalid(keyPath.Child("admins").Index(i), c.Admins[i],
				"is the role of aws:assumeRole, which creates the cluster and administers it already; name another"))
		}
	}
	isKnownVersion := slices.Contains(eksspec.Versions(), string(c.Version))
	isKnownStage := slices.Contains(c.UpgradeStage.Values(), string(c.UpgradeStage))
	if isKnownVersion && isKnownStage { // otherwise validateChoices reports the value
		if _, err := eksspec.ComponentVersionsAt(string(c.Version), c.UpgradeStage); err != nil {
			problems = append(problems, field.Invalid(keyPath.Child("upgradeStage"), c.UpgradeStage, err.Error()))
		}
	}
	return append(problems, validateAccess(keyPath, &c)...)
}

// validateSupport checks that EKS supports the version of the cluster, and warns of the end of its
// support. A cluster with nodes that the stack does not manage is a sandbox, which may have any
// version. validateChoices refuses a version that the program does not have.
func validateSupport(s *Stack, today time.Time) field.ErrorList {
	if s.Cluster.Nodes == NodesOwn || !slices.Contains(eksspec.Versions(), string(s.Cluster.Version)) {
		return nil
	}
	warning, err := s.Cluster.Version.CheckSupport(today, s.Cluster.ExtendedSupport)
	if err != nil {
		return field.ErrorList{field.Invalid(path("cluster").Child("version"), s.Cluster.Version, err.Error())}
	}
	if warning != "" {
		s.Warnings = append(s.Warnings, warning)
	}
	return nil
}

// validateServices checks that each service exists, and that its bounds are in order together with
// the bounds of the profile.
func validateServices(overrides Services) field.ErrorList {
	var (
		problems field.ErrorList
		known    []string
	)
	for _, p := range scaling.Services() {
		known = append(known, p.ShortName)
		override := overrides[p.ShortName]
		if low, high := cmp.Or(override.Min, p.HPA.MinReplicas), cmp.Or(override.Max, p.HPA.MaxReplicas); low > high {
			problems = append(problems, field.Invalid(path("services").Child(p.ShortName), fmt.Sprintf("%d to %d", low, high),
				"min must be at most max, and an unset value is the profile's: lower min, or raise max"))
		}
	}
	for name := range overrides {
		if !slices.Contains(known, name) {
			problems = append(problems, field.NotSupported(path("services"), name, known))
		}
	}
	return problems
}
