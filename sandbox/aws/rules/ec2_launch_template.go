package rules

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
)

const launchTemplateType = "aws:ec2/launchTemplate:LaunchTemplate"

// maxUserData is the maximum size of user data in bytes, before the encoding as base64
// (AWSEC2/latest/UserGuide/user-data.html).
const maxUserData = 16 << 10

// notInGroups is the reason to refuse properties that templates of Auto Scaling groups do
// not need.
const notInGroups = "templates of Auto Scaling groups do not need this property, so it has no rules"

// unversionedProps are the properties that the versions of a template do not contain. A change
// of these properties creates no new version.
var unversionedProps = []string{"tags", "tagsAll", "updateDefaultVersion", "defaultVersion"}

// checkBoolString returns a message unless the value is "true" or "false". The provider declares
// an optional boolean as a string.
var checkBoolString = pattern(`true|false`, `"true" or "false"`)

var toInstanceProfile = &Ref{To: []string{profileType}, Noun: "IAM Instance Profile", Missing: "InvalidParameterValue"}

var checkTemplateName = pattern(`[a-zA-Z0-9()./_-]+`, "letters, digits and ()./_-")

var _ = registerRows(&Row{
	Token:  launchTemplateType,
	Source: "ec2/ec2_launch_template.go", Page: "AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
	Label: "EC2 Launch Template", ID: "lt-{hex17}", NotFound: "InvalidLaunchTemplateId.NotFound",
	Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
	Props: Props{
		"name":                                    {Replace: true, Computed: true, Valid: all(length(3, 125), checkTemplateName)},
		"namePrefix":                              {Replace: true, Computed: true, Valid: all(length(3, 99), checkTemplateName)},
		"description":                             {},
		"imageId":                                 {Valid: pattern(`ami-[0-9a-f]{8,17}|resolve:ssm:.+`, "an image as in ami-0123456789abcdef0")},
		"instanceType":                            {},
		"updateDefaultVersion":                    {},
		"defaultVersion":                          {Computed: true, Valid: numbers(1, 1e9)},
		"userData":                                {Valid: checkUserData},
		"ebsOptimized":                            {Valid: checkBoolString},
		"disableApiStop":                          {},
		"disableApiTermination":                   {},
		"instanceInitiatedShutdownBehavior":       {},
		"vpcSecurityGroupIds":                     {Set: true, Max: 5, Ref: &Ref{To: toSecurityGroup.To, Noun: toSecurityGroup.Noun, Missing: toSecurityGroup.Missing}},
		"iamInstanceProfile":                      {},
		"iamInstanceProfile.arn":                  {Valid: checkARN, Ref: &Ref{To: toInstanceProfile.To, By: []string{"arn"}, Noun: toInstanceProfile.Noun, Missing: toInstanceProfile.Missing}},
		"iamInstanceProfile.name":                 {Ref: toInstanceProfile},
		"monitoring":                              {},
		"monitoring.enabled":                      {},
		"metadataOptions":                         {Computed: true},
		"metadataOptions.httpEndpoint":            {Computed: true},
		"metadataOptions.httpTokens":              {Computed: true},
		"metadataOptions.httpPutResponseHopLimit": {Computed: true, Valid: numbers(1, 64)},
		"metadataOptions.httpProtocolIpv6":        {Default: "disabled"},
		"metadataOptions.instanceMetadataTags":    {Default: "disabled"},
		"tagSpecifications":                       {},
		"tagSpecifications.resourceType":          {Enum: []string{"instance", "volume", "network-interface", "spot-instances-request"}},
		"tagSpecifications.tags":                  {},
		"creditSpecification":                     {},
		"creditSpecification.cpuCredits":          {Enum: []string{"standard", "unlimited"}},
		"privateDnsNameOptions":                   {},
		"privateDnsNameOptions.hostnameType":      {},
		"privateDnsNameOptions.enableResourceNameDnsARecord":    {},
		"privateDnsNameOptions.enableResourceNameDnsAaaaRecord": {},
		"maintenanceOptions":              {},
		"maintenanceOptions.autoRecovery": {},
		"instanceMarketOptions":           {Refuse: "a mixed instances policy of the Auto Scaling group requests spot instances"},
		"networkInterfaces":               {},
		"instanceRequirements":            {},
	}.with(requirementProps("instanceRequirements.")).with(blockDeviceProps).with(interfaceProps).with(refusedProps("is not supported yet", "",
		"capacityReservationSpecification", "cpuOptions", "elasticGpuSpecifications", "elasticInferenceAccelerator", "enclaveOptions",
		"hibernationOptions", "kernelId", "keyName", "licenseSpecifications", "placement", "ramDiskId", "securityGroupNames")),
	AtMostOne: [][]string{{"name", "namePrefix"}, {"instanceType", "instanceRequirements"}, {"defaultVersion", "updateDefaultVersion"}},
	Unique: []Unique{{
		Props: []string{"name"}, Code: "InvalidLaunchTemplateName.AlreadyExistsException", Message: "Launch template name already in use: {name}",
	}},
	Outputs:    map[string]string{"arn": "arn:{partition}:ec2:{region}:{account}:launch-template/{id}"},
	Check:      checkLaunchTemplate,
	Verify:     verifyLaunchTemplate,
	Fill:       fillLaunchTemplate,
	VolatileIf: unknownVersionOutputs,
})

// blockDeviceProps are the rules of a template's disks. gp3 has these limits since
// September 2025 (ebs/latest/userguide/general-purpose.html).
var blockDeviceProps = Props{
	"blockDeviceMappings":                              {},
	"blockDeviceMappings.deviceName":                   {Required: true, Valid: pattern(`/dev/(xvd[a-z]{1,2}|sd[a-z]\d*)`, "a device as in /dev/xvda")},
	"blockDeviceMappings.noDevice":                     {Refuse: notInGroups},
	"blockDeviceMappings.virtualName":                  {Refuse: notInGroups},
	"blockDeviceMappings.ebs":                          {},
	"blockDeviceMappings.ebs.deleteOnTermination":      {Valid: checkBoolString},
	"blockDeviceMappings.ebs.encrypted":                {Valid: checkBoolString},
	"blockDeviceMappings.ebs.kmsKeyId":                 {Valid: checkARN, Ref: toKeyARN},
	"blockDeviceMappings.ebs.snapshotId":               {Refuse: "snapshots are not supported"},
	"blockDeviceMappings.ebs.volumeType":               {Computed: true, Enum: []string{"gp3"}},
	"blockDeviceMappings.ebs.volumeSize":               {Computed: true, Valid: numbers(1, 65536)},
	"blockDeviceMappings.ebs.iops":                     {Computed: true, Valid: numbers(baseIOPS, 80000)},
	"blockDeviceMappings.ebs.throughput":               {Computed: true, Valid: numbers(baseThroughput, 2000)},
	"blockDeviceMappings.ebs.volumeInitializationRate": {Refuse: "snapshots are not supported"},
}

// interfaceProps are the rules of a template's network interfaces.
var interfaceProps = Props{
	"networkInterfaces.associatePublicIpAddress": {Valid: checkBoolString},
	"networkInterfaces.deleteOnTermination":      {Valid: checkBoolString},
	"networkInterfaces.description":              {Valid: length(0, 255)},
	"networkInterfaces.deviceIndex":              {Valid: oneOf(0)},
	"networkInterfaces.ipv6AddressCount":         {Valid: numbers(0, 1)},
	"networkInterfaces.primaryIpv6":              {Valid: checkBoolString},
	"networkInterfaces.securityGroups":           {Set: true, Max: 5, Ref: &Ref{To: toSecurityGroup.To, Noun: toSecurityGroup.Noun, Missing: toSecurityGroup.Missing}},
	"networkInterfaces.subnetId":                 {Refuse: "the Auto Scaling group has the subnets"},
}.with(refusedProps(notInGroups, "",
	"networkInterfaces.associateCarrierIpAddress", "networkInterfaces.connectionTrackingSpecification", "networkInterfaces.enaSrdSpecification",
	"networkInterfaces.interfaceType", "networkInterfaces.ipv4AddressCount", "networkInterfaces.ipv4Addresses", "networkInterfaces.ipv4PrefixCount",
	"networkInterfaces.ipv4Prefixes", "networkInterfaces.ipv6Addresses", "networkInterfaces.ipv6PrefixCount", "networkInterfaces.ipv6Prefixes",
	"networkInterfaces.networkCardIndex", "networkInterfaces.networkInterfaceId", "networkInterfaces.privateIpAddress"))

// checkUserData returns a message unless v is base64 of at most maxUserData bytes.
func checkUserData(v any) string {
	s, _ := v.(string)
	raw, err := base64.StdEncoding.DecodeString(s)
	switch {
	case err != nil:
		return "must be base64"
	case len(raw) > maxUserData:
		return fmt.Sprintf("has %d bytes; AWS allows %d before base64", len(raw), maxUserData)
	}
	return ""
}

// checkLaunchTemplate reports failures for settings of a template that exclude each other.
func checkLaunchTemplate(in Object, fail Fail) {
	checkRequirements(in.Object("instanceRequirements"), "instanceRequirements", fail)
	if in.Has("networkInterfaces") && in.Has("vpcSecurityGroupIds") {
		fail("vpcSecurityGroupIds", "can't be given together with networkInterfaces: set the securityGroups of the network interface instead")
	}
	if len(in.Objects("networkInterfaces")) > 1 {
		fail("networkInterfaces", "several interfaces are not supported yet")
	}
	profile := in.Object("iamInstanceProfile")
	if profile.Has("arn") && profile.Has("name") {
		fail("iamInstanceProfile", "arn and name can't be given together")
	}
	devices := map[string]bool{}
	for i, mapping := range in.Objects("blockDeviceMappings") {
		path := fmt.Sprintf("blockDeviceMappings[%d]", i)
		if name := mapping.String("deviceName"); devices[name] {
			fail(path+".deviceName", "%s is mapped twice", name)
		} else if name != "" {
			devices[name] = true
		}
		ebs := mapping.Object("ebs")
		if ebs.Has("kmsKeyId") && (!ebs.Has("encrypted") || ebs.String("encrypted") == "false") {
			fail(path+".ebs.kmsKeyId", `needs encrypted "true"`)
		}
		if !ebs.Has("volumeType") && (ebs.Has("iops") || ebs.Has("throughput")) {
			fail(path+".ebs.volumeType", "must be given with iops or throughput")
		}
		checkVolume(ebs, path+".ebs", fail)
	}
	for i, spec := range in.Objects("tagSpecifications") {
		checkTags(spec["tags"], maxTags, func(property, reason string, args ...any) {
			fail(fmt.Sprintf("tagSpecifications[%d].%s", i, property), reason, args...)
		})
	}
}

// checkVolume checks the ratios of a gp3 volume: at most 500 IOPS for each GiB, and at
// most 0.25 MiB/s for each IOPS (ebs/latest/userguide/general-purpose.html).
func checkVolume(ebs Object, path string, fail Fail) {
	iops := baseIOPS
	if ebs.Known("iops") {
		iops = ebs.Int("iops")
	} else if ebs.Has("iops") {
		return // the IOPS are not known yet
	}
	if iops > baseIOPS && ebs.Known("volumeSize") && iops > ebs.Int("volumeSize")*iopsPerGiB {
		fail(path+".iops", "is %d, may be at most %d for each of %d GiB", iops, iopsPerGiB, ebs.Int("volumeSize"))
	}
	if throughput := ebs.Int("throughput"); throughput*iopsPerMiBps > iops {
		fail(path+".throughput", "is %d MiB/s, may be at most 0.25 for each of %d IOPS", throughput, iops)
	}
}

// verifyLaunchTemplate returns an error for a default version that does not exist. The version
// after the latest one is allowed, because the update itself can create it.
func verifyLaunchTemplate(c *Call) error {
	if version := c.In.Int("defaultVersion"); version > max(1, c.Old.Int("latestVersion")+1) {
		return refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find launch template version %d", version)
	}
	return nil
}

// createsVersion reports whether the change from old to updated creates a new version of
// a template.
func createsVersion(old, updated Object) bool {
	names := map[string]bool{}
	for _, o := range []Object{old, updated} {
		for name := range o {
			names[name] = true
		}
	}
	for name := range names {
		if _, hasRule := rows[launchTemplateType].Props[name]; !hasRule || slices.Contains(unversionedProps, name) {
			continue // an output, or a property that versions do not contain
		}
		if canonicalText(old[name], keepOrder) != canonicalText(updated[name], keepOrder) {
			return true
		}
	}
	return false
}

// fillLaunchTemplate computes the versions of a template and the defaults of its metadata
// options.
func fillLaunchTemplate(c *Call) error {
	if c.In.Has("metadataOptions") {
		// Omitted options have the defaults of the account. The stand-in's account has
		// AWS's own defaults.
		c.Out["metadataOptions"] = addDefaults(c.Out.Object("metadataOptions"), map[string]any{
			"httpEndpoint": "enabled", "httpTokens": "optional", "httpPutResponseHopLimit": 1.0,
		})
	}
	latest := 1
	if c.Old != nil {
		if latest = c.Old.Int("latestVersion"); createsVersion(c.Old, c.Out) {
			latest++
		}
	}
	c.Out["latestVersion"] = float64(latest)
	switch {
	case c.In.Bool("updateDefaultVersion"):
		c.Out["defaultVersion"] = float64(latest)
	case !c.Out.Has("defaultVersion"):
		c.Out["defaultVersion"] = 1.0
	}
	return nil
}

// unknownVersionOutputs returns the outputs that a preview of an update shows as unknown.
// As in the provider, a change of only the tags makes the latest version unknown, although
// this change creates no version.
func unknownVersionOutputs(old, in Object) []string {
	if !createsVersion(old, in) && canonicalText(old["tagsAll"], keepOrder) == canonicalText(in["tagsAll"], keepOrder) {
		return nil
	}
	if in.Bool("updateDefaultVersion") {
		return []string{"latestVersion", "defaultVersion"}
	}
	return []string{"latestVersion"}
}

// versionPattern matches a template's version: a number, $Latest or $Default.
var versionPattern = regexp.MustCompile(`^(\$Latest|\$Default|[1-9]\d{0,8})$`)

// checkTemplateVersion returns a message unless v is a valid template version in a
// reference to a launch template.
func checkTemplateVersion(v any) string {
	if s, _ := v.(string); !versionPattern.MatchString(s) {
		return fmt.Sprintf("%q must be a number, $Latest or $Default", s)
	}
	return ""
}

// templateSecurityGroups returns the ids of the security groups of a template and of its network
// interfaces.
func templateSecurityGroups(template Object) []string {
	out := template.Strings("vpcSecurityGroupIds")
	for _, l := range leaves(template, "networkInterfaces.securityGroups") {
		if s, ok := l.value.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
