package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/kubeconfig"
)

const clusterType = "aws:eks/cluster:Cluster"

// zonesWithoutEKS are the ids of availability zones in which EKS creates no control planes
// (eks/latest/userguide/network-reqs.html, "Subnet requirements for clusters", as of 2025).
var zonesWithoutEKS = []string{"use1-az3", "usw1-az2", "cac1-az3"}

// eksGroupPrefix is the start of the name of the security group that EKS creates for a
// cluster.
const eksGroupPrefix = "eks-cluster-sg-"

const noAutoMode = "EKS Auto Mode is not supported yet"

// privateRanges are the private address ranges of RFC 1918. The service CIDR of a cluster must
// be in one of these ranges.
var privateRanges = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}

var checkClusterName = all(length(1, 100), pattern(`[0-9A-Za-z][A-Za-z0-9_-]*`, "letters, digits, - and _, beginning with a letter or digit"))

var _ = registerRows(&Row{
	Token:  clusterType,
	Source: "eks/cluster.go", Page: "eks/latest/APIReference/API_CreateCluster.html",
	Label: "EKS Cluster", ID: "{name}", NotFound: "ResourceNotFoundException",
	ExistsCode: "ResourceInUseException", ExistsText: "Cluster already exists with name: {name}",
	Naming: &Naming{Prop: "name", Max: 100},
	Props: Props{
		"name":                             {Replace: true, Valid: checkClusterName},
		"roleArn":                          {Replace: true, Valid: checkARN, Ref: toRoleARN},
		"version":                          {Computed: true, Enum: eksVersions},
		"enabledClusterLogTypes":           {Set: true},
		"bootstrapSelfManagedAddons":       {Replace: true, Default: true},
		"forceUpdateVersion":               {},
		"vpcConfig":                        {},
		"vpcConfig.subnetIds":              {Required: true, Set: true, Min: 2, Ref: toSubnet},
		"vpcConfig.securityGroupIds":       {Set: true, Max: 5, Ref: toSecurityGroup},
		"vpcConfig.endpointPrivateAccess":  {Default: false},
		"vpcConfig.endpointPublicAccess":   {Default: true},
		"vpcConfig.publicAccessCidrs":      {Set: true, Computed: true, Max: 40, Valid: all(cidr4(0, 32), checkPublicBlock)},
		"vpcConfig.clusterSecurityGroupId": {Computed: true, Refuse: "AWS creates it"},
		"vpcConfig.vpcId":                  {Computed: true, Refuse: "AWS takes it from the subnets"},
		"accessConfig":                     {Computed: true},
		"accessConfig.authenticationMode":  {Computed: true},
		"accessConfig.bootstrapClusterCreatorAdminPermissions": {Replace: true, Default: true},
		"encryptionConfig":                             {},
		"encryptionConfig.provider":                    {},
		"encryptionConfig.provider.keyArn":             {Valid: checkARN, Ref: toKeyARN},
		"encryptionConfig.resources":                   {Required: true, Set: true, Min: 1, Max: 1, Enum: []string{"secrets"}},
		"kubernetesNetworkConfig":                      {Computed: true},
		"kubernetesNetworkConfig.ipFamily":             {Replace: true, Computed: true, Enum: []string{"ipv4"}},
		"kubernetesNetworkConfig.serviceIpv4Cidr":      {Replace: true, Computed: true, Valid: all(cidr4(12, 24), checkPrivateBlock)},
		"kubernetesNetworkConfig.serviceIpv6Cidr":      {Computed: true, Refuse: "AWS chooses it"},
		"kubernetesNetworkConfig.elasticLoadBalancing": {Computed: true, Refuse: noAutoMode},
		"upgradePolicy":                                {Computed: true},
		"upgradePolicy.supportType":                    {Computed: true},
		"zonalShiftConfig":                             {},
		"zonalShiftConfig.enabled":                     {},
		"computeConfig":                                {Refuse: noAutoMode},
		"storageConfig":                                {Refuse: noAutoMode},
		"outpostConfig":                                {Refuse: "Outposts are not supported"},
		"remoteNetworkConfig":                          {Replace: true, Refuse: "hybrid nodes are not supported yet"},
		"defaultAddonsToRemoves":                       {Refuse: "Pulumi's own, deprecated; use bootstrapSelfManagedAddons"},
	},
	Outputs: map[string]string{
		"arn":             "arn:{partition}:eks:{region}:{account}:cluster/{name}",
		"status":          "ACTIVE",
		"platformVersion": "eks.1",
	},
	// The encryption of secrets cannot be disabled.
	ReplaceIf: func(old, in Object) []string {
		if old.Has("encryptionConfig") && !in.Has("encryptionConfig") {
			return []string{"encryptionConfig"}
		}
		return nil
	},
	Check: func(in Object, fail Fail) {
		if !in.Has("version") {
			fail("version", "must be given: EKS's default changes with time and need not be its newest (stand-in: one of %s)", strings.Join(eksVersions, ", "))
		}
		vpc := in.Object("vpcConfig")
		public := vpc.Bool("endpointPublicAccess") || !vpc.Known("endpointPublicAccess")
		private := vpc.Bool("endpointPrivateAccess") || (vpc.Has("endpointPrivateAccess") && !vpc.Known("endpointPrivateAccess"))
		if !public && !private {
			fail("vpcConfig.endpointPrivateAccess", "private and public endpoint access cannot both be false")
		}
		if !public && vpc.Has("publicAccessCidrs") {
			fail("vpcConfig.publicAccessCidrs", "needs endpointPublicAccess")
		}
	},
	Verify:  verifyCluster,
	Fill:    fillCluster,
	Refresh: refreshCluster,
})

// reservedBlocks are the CIDR blocks that EKS refuses in publicAccessCidrs, because no
// request comes from them over the internet (eks/latest/userguide/cluster-endpoint.html).
// The blocks that RFC 5737 reserves for documentation are not in the list, because they
// represent the internet in the sandbox.
var reservedBlocks = append(slices.Clone(privateRanges), "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")

// checkPublicBlock returns a message for a CIDR block that is not on the internet.
func checkPublicBlock(v any) string {
	s, _ := v.(string)
	for _, r := range reservedBlocks {
		if inside(s, r) {
			return fmt.Sprintf("%q is in %s, which is reserved: no request comes from there over the internet", s, r)
		}
	}
	return ""
}

// verifyAuthenticationMode returns an error for a change of the authentication mode that EKS does
// not allow. The mode can only change to the next mode in the order CONFIG_MAP,
// API_AND_CONFIG_MAP, API (eks/latest/userguide/setting-up-access-entries.html).
func verifyAuthenticationMode(c *Call) error {
	modes := []string{"CONFIG_MAP", "API_AND_CONFIG_MAP", "API"}
	oldIndex := slices.Index(modes, c.Old.Object("accessConfig").String("authenticationMode"))
	newIndex := slices.Index(modes, c.Out.Object("accessConfig").String("authenticationMode"))
	if oldIndex >= 0 && newIndex >= 0 && newIndex != oldIndex && newIndex != oldIndex+1 {
		return refuse("InvalidParameterException", "Unsupported authentication mode update from %s to %s", modes[oldIndex], modes[newIndex])
	}
	return nil
}

// checkPrivateBlock returns a message unless v is a network in one of privateRanges.
func checkPrivateBlock(v any) string {
	s, _ := v.(string)
	if slices.ContainsFunc(privateRanges, func(r string) bool { return inside(s, r) }) {
		return ""
	}
	return fmt.Sprintf("%q must be in %s", s, strings.Join(privateRanges, ", "))
}

// verifyCluster returns EKS's error for the subnets, the security groups and the role of a new
// cluster. For an existing cluster, it returns the error for a change that EKS does not allow.
func verifyCluster(c *Call) error {
	vpcID := ""
	zones := map[string]bool{}
	for _, subnet := range c.referencedObjects("vpcConfig.subnetIds") {
		s := Object(subnet.State)
		if vpcID != "" && s.String("vpcId") != vpcID {
			return refuse("InvalidParameterException", "Subnet IDs specified must be in the same VPC: %s is in %s", subnet.ID, s.String("vpcId"))
		}
		if slices.Contains(zonesWithoutEKS, s.String("availabilityZoneId")) {
			return refuse("UnsupportedAvailabilityZoneException", "Cannot create cluster '%s' because EKS does not support creating control plane "+
				"instances in %s, the targeted availability zone of %s", c.In.String("name"), s.String("availabilityZone"), subnet.ID)
		}
		vpcID = s.String("vpcId")
		zones[s.String("availabilityZone")] = true
	}
	if len(zones) < 2 {
		return refuse("InvalidParameterException", "Subnets specified must be in at least two different AZs")
	}
	for _, group := range c.referencedObjects("vpcConfig.securityGroupIds") {
		if Object(group.State).String("vpcId") != vpcID {
			return refuse("InvalidParameterException", "Security group(s) %s are not in the same VPC as the subnets", group.ID)
		}
	}
	if c.Old == nil {
		if err := verifyVersionSupported(c.In, c.Now()); err != nil {
			return err
		}
		return verifyClusterRole(c)
	}
	oldKey := c.Old.Object("encryptionConfig").Object("provider").String("keyArn")
	newKey := c.In.Object("encryptionConfig").Object("provider").String("keyArn")
	if oldKey != "" && newKey != oldKey {
		return refuse("InvalidParameterException", "The key of a cluster's encryption can't be changed")
	}
	oldVPC, oldZones := c.Old.Object("vpcConfig").String("vpcId"), c.clusterZones(c.Old)
	if vpcID != oldVPC || !slices.Equal(oldZones, c.clusterZones(c.In)) {
		return refuse("InvalidParameterException", "The subnets of a cluster must stay in its VPC, %s, and in exactly the availability zones that it was created with, %s",
			oldVPC, strings.Join(oldZones, ", "))
	}
	if err := verifyAuthenticationMode(c); err != nil {
		return err
	}
	return verifyClusterVersion(c)
}

// clusterZones returns the sorted availability zones of a cluster's subnets. EKS does not allow
// an update to change the zones (eks/latest/userguide/network-reqs.html, "VPC requirements and
// considerations").
func (c *Call) clusterZones(cluster Object) []string {
	var zones []string
	for _, l := range leaves(cluster, "vpcConfig.subnetIds") {
		id, _ := l.value.(string)
		if subnet, ok := c.resolve(toSubnet, id); ok {
			zones = append(zones, Object(subnet.State).String("availabilityZone"))
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

// verifyClusterRole returns an error for a role that EKS cannot use
// (eks/latest/userguide/cluster-iam-role.html).
func verifyClusterRole(c *Call) error {
	role, _ := c.referencedObject("roleArn")
	if !trusts(role, "eks.amazonaws.com") {
		return refuse("InvalidParameterException", "Role with arn: %s, could not be assumed because it does not exist or the trusted entity is not "+
			"correct: let it trust eks.amazonaws.com", c.In.String("roleArn"))
	}
	const requiredPolicy = ":iam::aws:policy/AmazonEKSClusterPolicy"
	attached := append(c.attachedPolicies(Object(role.State).String("name")), Object(role.State).Strings("managedPolicyArns")...)
	if !slices.ContainsFunc(attached, func(arn string) bool { return strings.HasSuffix(arn, requiredPolicy) }) {
		return refuse("InvalidParameterException", "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure "+
			"the following policies [arn:aws:iam::aws:policy/AmazonEKSClusterPolicy] are attached before the cluster is created")
	}
	return nil
}

// verifyClusterVersion returns an error for:
//
//   - a downgrade
//   - an upgrade by more than one minor version (eks/latest/userguide/update-cluster.html)
//   - a version without support
//   - the policy STANDARD with a version without standard support
//     (disable-extended-support.html)
//
// EKS allows a rollback to the old version within seven days (rollback-cluster.html). The
// stand-in does not allow a rollback.
func verifyClusterVersion(c *Call) error {
	oldVersion, newVersion := clusterVersion(c.Old, c.Now()), c.In.String("version")
	if newVersion == "" {
		newVersion = oldVersion
	}
	policyChanged := clusterUpgradePolicy(c.Out) != clusterUpgradePolicy(c.Old)
	if newVersion == oldVersion && !policyChanged {
		return nil
	}
	if newVersion != oldVersion && minorVersion(newVersion)-minorVersion(oldVersion) != 1 {
		return refuse("InvalidParameterException", "Unsupported Kubernetes minor version update from %s to %s", oldVersion, newVersion)
	}
	return verifyVersionSupported(Object{"version": newVersion, "upgradePolicy": c.Out["upgradePolicy"]}, c.Now())
}

// minorVersion returns the minor version of a version of Kubernetes or an add-on, such as 34
// for 1.34. The caller has checked the format of the version.
func minorVersion(version string) int {
	_, afterMajor, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(afterMajor, ".")
	n, _ := strconv.Atoi(minor)
	return n
}

// fillCluster computes the outputs of a cluster and the defaults of its blocks. It
// returns an error if the service CIDR overlaps the VPC.
func fillCluster(c *Call) error {
	if c.Old == nil {
		issuer, err := c.expand("https://oidc.eks.{region}.amazonaws.com/id/{id32}")
		if err != nil {
			return err
		}
		c.Out["createdAt"] = c.Now().UTC().Format(time.RFC3339)
		c.Out["identities"] = []any{map[string]any{"oidcs": []any{map[string]any{"issuer": issuer}}}}
	}
	for block, fields := range map[string]map[string]any{
		"accessConfig":            {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": true},
		"upgradePolicy":           {"supportType": supportTypeExtended},
		"kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": c.defaultServiceCIDR(), "elasticLoadBalancing": map[string]any{"enabled": false}},
	} {
		c.Out[block] = addDefaults(c.Out.Object(block), fields)
	}
	serviceCIDR := c.Out.Object("kubernetesNetworkConfig").String("serviceIpv4Cidr")
	if vpc := c.clusterVPC(); overlap(serviceCIDR, vpc.String("cidrBlock")) {
		return refuse("InvalidParameterException", "The specified service CIDR %s overlaps with the VPC's %s", serviceCIDR, vpc.String("cidrBlock"))
	}
	if err := c.createCreatorEntry(); err != nil {
		return err
	}
	return fillClusterNetwork(c)
}

// createCreatorEntry creates the access entry of the identity that creates a cluster. It does
// nothing at an update, if the cluster disables this entry, or if the cluster's authentication
// mode has no entries (eks/latest/userguide/access-entries.html, "Cluster creator").
func (c *Call) createCreatorEntry() error {
	access := c.Out.Object("accessConfig")
	if c.Old != nil || !access.Bool("bootstrapClusterCreatorAdminPermissions") || access.String("authenticationMode") == "CONFIG_MAP" {
		return nil
	}
	caller := c.callerARN()
	return c.putOwned(accessEntryType, c.In.String("name")+":"+caller, Object{
		"clusterName": c.In.String("name"), "principalArn": caller, "type": "STANDARD", "userName": caller,
		"kubernetesGroups": []any{}, "tagsAll": map[string]any{},
	})
}

// addDefaults returns a copy of o. If o lacks a field of defaults, the copy has the field with
// the value in defaults.
func addDefaults(o Object, defaults map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range defaults {
		out[name] = v
	}
	for name, v := range o {
		out[name] = v
	}
	return out
}

// defaultServiceCIDR returns the service CIDR that EKS chooses for a cluster:
// 10.100.0.0/16, or 172.20.0.0/16 if the VPC is in 10.0.0.0/8.
func (c *Call) defaultServiceCIDR() string {
	if overlap(c.clusterVPC().String("cidrBlock"), "10.0.0.0/8") {
		return "172.20.0.0/16"
	}
	return "10.100.0.0/16"
}

// clusterVPC returns the properties of the VPC of the cluster's subnets, or nil if the VPC does
// not exist.
func (c *Call) clusterVPC() Object {
	for _, subnet := range c.referencedObjects("vpcConfig.subnetIds") {
		if vpc, ok := c.resolve(toVPC, Object(subnet.State).String("vpcId")); ok {
			return vpc.State
		}
	}
	return nil
}

// fillClusterNetwork sets the outputs in vpcConfig, and creates the security group of a new
// cluster.
func fillClusterNetwork(c *Call) error {
	vpcConfig := c.Out.Object("vpcConfig")
	subnets := c.referencedObjects("vpcConfig.subnetIds")
	out := addDefaults(vpcConfig, map[string]any{"publicAccessCidrs": []any{"0.0.0.0/0"}, "vpcId": Object(subnets[0].State).String("vpcId")})
	if !vpcConfig.Bool("endpointPublicAccess") {
		delete(out, "publicAccessCidrs")
	}
	if out["clusterSecurityGroupId"] == nil {
		id, err := c.expand("sg-{hex17}")
		if err != nil {
			return err
		}
		out["clusterSecurityGroupId"] = id
		if err := c.putOwned(securityGroupType, id, Object{
			"name": eksGroupPrefix + c.ID, "vpcId": out["vpcId"], "ownerId": c.Account, "tagsAll": map[string]any{},
			"description": "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
			"arn":         fmt.Sprintf("arn:%s:ec2:%s:%s:security-group/%s", c.Partition, c.Region, c.Account, id),
		}); err != nil {
			return err
		}
	}
	c.Out["vpcConfig"] = out
	return nil
}

// refreshCluster sets the endpoint and the certificate authority of the sandbox's real API
// server. It also sets the current version, because EKS upgrades a cluster by itself when the
// support of the version ends.
func refreshCluster(c *Call) error {
	c.Out["version"] = clusterVersion(c.Out, c.Now())
	current, err := kubeconfig.Read(c.Layout.Kubeconfig())
	if err != nil {
		return err
	}
	authority := map[string]any{"data": current.Authority}
	c.Out["endpoint"] = current.Server
	c.Out["certificateAuthority"] = authority
	c.Out["certificateAuthorities"] = []any{authority}
	return nil
}
