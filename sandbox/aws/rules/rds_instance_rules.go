package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkInsightsRetention returns the reason why Performance Insights does not allow a number
// of days, or "". It allows 7, 731, and 1 to 23 times 31 days (API_CreateDBInstance.html,
// PerformanceInsightsRetentionPeriod).
func checkInsightsRetention(v any) string {
	n, _ := v.(float64)
	if days := int(n); days == 7 || days == 731 || (days%31 == 0 && days >= 31 && days <= 23*31) {
		return ""
	}
	return fmt.Sprintf("is %v days, must be 7, 731, or 1 to 23 times 31 (31, 62, ... 713)", n)
}

// minAdvancedRetention is the minimum retention in days for the advanced mode of Database
// Insights (AmazonRDS/latest/UserGuide/USER_DatabaseInsights.TurningOnAdvanced.html).
const minAdvancedRetention = 465

// verifyDBInstance returns RDS's error for a creation or a change of an instance. The texts
// about versions, monitoring, protection and networks are from public logs.
func verifyDBInstance(c *Call) error {
	for _, verify := range []func(*Call) error{
		verifyPostgresVersion, verifyPostgresFamily, verifyDBNetwork, verifyDBStorage, verifyDBMonitoring, verifyDBInsights, verifyRestoredInstance,
		func(c *Call) error { return verifyWindows(c, "backupWindow", "maintenanceWindow") },
	} {
		if err := verify(c); err != nil {
			return err
		}
	}
	if c.In.Has("kmsKeyId") && !c.In.Bool("storageEncrypted") {
		return refuse("InvalidParameterCombination", "KmsKeyId can be given for encrypted storage only: storageEncrypted must be true")
	}
	return nil
}

// verifyDBStarts returns an error if the instance would not start. The parameter shared_buffers
// must be below the memory of the instance class (Amazon RDS User Guide, "Diagnosing and
// resolving incompatible parameters status"). fillDBInstance calls verifyDBStarts after
// deferChanges, so instanceClass is the class that runs until the maintenance window.
func verifyDBStarts(c *Call) error {
	memory := dbClassMemory(c.Out.String("instanceClass"))
	group, ok := c.resolve(toDBParameters, c.Out.String("parameterGroupName"))
	if !ok || memory == 0 {
		return nil
	}
	for _, p := range Object(group.State).Objects("parameters") {
		blocks, err := strconv.Atoi(p.String("value")) // blocks of 8192 bytes
		if p.String("name") == "shared_buffers" && err == nil && blocks*8192 >= memory {
			return refuse("InvalidParameterCombination", "DB instance %s would have the status incompatible-parameters: shared_buffers of %s is %d MiB, and %s has %d MiB",
				c.Out.String("identifier"), group.ID, blocks*8192>>20, c.Out.String("instanceClass"), memory>>20)
		}
	}
	return nil
}

// dbClassMemory returns the memory of an instance class in bytes, or 0 for an unknown family or
// size (AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html).
func dbClassMemory(class string) int {
	parts := strings.Split(class, ".") // as in db.r6g.large
	if len(parts) != 3 || parts[1] == "" {
		return 0
	}
	family, size := parts[1], parts[2]
	// The memory of each size is computed from the memory of the size large.
	largeMemory := map[byte]int{'r': 16 << 30, 'm': 8 << 30, 't': 8 << 30}[family[0]]
	eighthsOfLarge := map[string]int{"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}[size]
	if eighthsOfLarge > 0 {
		return largeMemory / 8 * eighthsOfLarge
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge"))
	if err != nil {
		return 0
	}
	return 2 * n * largeMemory // xlarge has twice the memory of large, and Nxlarge has N times the memory of xlarge
}

// verifyDBNetwork returns an error for a subnet group, an availability zone or security
// groups that an instance cannot have.
func verifyDBNetwork(c *Call) error {
	group, _ := c.referencedObject("dbSubnetGroupName")
	if oldName := c.Old.String("dbSubnetGroupName"); oldName != "" && oldName != group.ID {
		old, ok := c.resolve(toDBSubnetGroup, oldName)
		if ok && c.vpcOfSubnetGroup(old) == c.vpcOfSubnetGroup(group) {
			return refuse("InvalidVPCNetworkStateFault", "The specified DB subnet group and DB instance are in the same VPC. "+
				"Choose a DB subnet group in different VPC than the specified DB instance and try again.")
		}
	}
	if zone := c.In.String("availabilityZone"); zone != "" {
		if c.In.Bool("multiAz") && zone != c.Old.String("availabilityZone") {
			return refuse("InvalidParameterCombination", "Requesting a specific availability zone is not valid for Multi-AZ instances.")
		}
		if zones := c.zonesOfSubnetGroup(group); !slices.Contains(zones, zone) {
			return refuse("InvalidParameterCombination", "The availability zone %s has no subnet in the DB subnet group, which covers %s", zone, strings.Join(zones, ", "))
		}
	}
	return c.verifySecurityGroupVPC("vpcSecurityGroupIds", "dbSubnetGroupName", "DB instance")
}

// verifyDBMonitoring returns an error for a role that enhanced monitoring cannot use. The role
// must trust RDS's monitoring and have at least one policy.
func verifyDBMonitoring(c *Call) error {
	if c.In.Int("monitoringInterval") == 0 {
		if c.In.String("monitoringRoleArn") != "" {
			return refuse("InvalidParameterCombination", "A MonitoringRoleARN value can't be given with a MonitoringInterval of 0.")
		}
		return nil
	}
	role, ok := c.referencedObject("monitoringRoleArn")
	if !ok {
		return refuse("InvalidParameterCombination", "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0.")
	}
	name := Object(role.State).String("name")
	inline, _ := role.State["inlinePolicies"].([]any)
	managed := Object(role.State).Strings("managedPolicyArns")
	// A role's policies are in its own properties or in separate resources.
	policyCount := len(inline) + len(managed) + len(c.inlinePolicyIDs(name)) + len(c.attachedPolicies(name))
	if policyCount == 0 || !trusts(role, "monitoring.rds.amazonaws.com") {
		return refuse("InvalidParameterValue", "IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING "+
			"(role %s must trust monitoring.rds.amazonaws.com and have a policy such as AmazonRDSEnhancedMonitoringRole)", name)
	}
	return nil
}

// verifyDBInsights returns an error for the advanced mode of Database Insights with a
// retention below minAdvancedRetention.
func verifyDBInsights(c *Call) error {
	if c.In.String("databaseInsightsMode") == "advanced" &&
		(!c.In.Bool("performanceInsightsEnabled") || c.In.Int("performanceInsightsRetentionPeriod") < minAdvancedRetention) {
		return refuse("InvalidParameterCombination", "To enable the Advanced mode of Database Insights, enable Performance Insights "+
			"and set the retention period for Performance Insights to at least %d days.", minAdvancedRetention)
	}
	return nil
}

// fillDBInstance computes the outputs of an instance: the address, the version, the storage, the
// secret, and the default values of AWS. It returns an error if the instance would not start.
func fillDBInstance(c *Call) error {
	if err := fillPostgresVersion(c); err != nil {
		return err
	}
	if err := verifyDBStarts(c); err != nil {
		return err
	}
	group, _ := c.referencedObject("dbSubnetGroupName")
	address := fmt.Sprintf("%s.%s.%s.rds.amazonaws.com", c.Out.String("identifier"), c.regionalHash("rds", 12), c.Region)
	c.Out.setDefaults(map[string]any{
		"port": 5432.0, "multiAz": false, "networkType": "IPV4", "caCertIdentifier": dbCertificates[0], "licenseModel": "postgresql-license",
		"backupTarget": "region", "backupRetentionPeriod": 0.0, "backupWindow": "07:00-07:30", "maintenanceWindow": "sun:08:30-sun:09:00",
		"databaseInsightsMode": "standard", "engineLifecycleSupport": "open-source-rds-extended-support", "dbName": "", "monitoringRoleArn": "",
		"availabilityZone": c.zonesOfSubnetGroup(group)[0], "vpcSecurityGroupIds": c.defaultGroupIDs(c.vpcOfSubnetGroup(group)), "replicas": []any{},
		"listenerEndpoints": []any{}, "characterSetName": "", "ncharCharacterSetName": "", "timezone": "", "replicaMode": "", "domainFqdn": "",
		"snapshotIdentifier": "", "identifierPrefix": "",
	})
	c.Out["status"], c.Out["address"], c.Out["hostedZoneId"] = "available", address, c.databaseZoneID()
	c.Out["endpoint"] = address + ":" + strconv.Itoa(c.Out.Int("port"))
	c.Out["latestRestorableTime"] = ""
	if c.Out.Int("backupRetentionPeriod") > 0 {
		c.Out["latestRestorableTime"] = c.Now().UTC().Format(time.RFC3339)
	}
	c.Out["maintenanceWindow"] = strings.ToLower(c.Out.String("maintenanceWindow"))
	for name, needsKey := range map[string]bool{
		"kmsKeyId": c.In.Bool("storageEncrypted"), "performanceInsightsKmsKeyId": c.In.Bool("performanceInsightsEnabled"),
	} {
		switch {
		case !needsKey:
			c.Out[name] = ""
		case c.Out.String(name) == "":
			c.Out[name] = c.awsKeyARN("rds")
		}
	}
	switch {
	case !c.In.Bool("performanceInsightsEnabled"):
		c.Out["performanceInsightsRetentionPeriod"] = 0.0
	case c.Out.Int("performanceInsightsRetentionPeriod") == 0:
		c.Out["performanceInsightsRetentionPeriod"] = 7.0 // days; API_CreateDBInstance.html
	}
	fillDBStorage(c)
	if err := fillRestoredInstance(c); err != nil {
		return err
	}
	if err := instancePassword.fillSecret(c); err != nil {
		return err
	}
	c.Out["masterUserSecretKmsKeyId"] = ""
	for _, secret := range c.Out.Objects("masterUserSecrets") {
		c.Out["masterUserSecretKmsKeyId"] = secret.String("kmsKeyId")
	}
	return nil
}
