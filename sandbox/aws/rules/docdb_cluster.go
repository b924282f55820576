package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const docdbClusterType = "aws:docdb/cluster:Cluster"

var (
	docdbPassword      = masterPassword{property: "masterPassword", prefix: "rds!cluster-"}
	docdbFinalSnapshot = finalSnapshot{clusterSnapshotType, "DBClusterSnapshotAlreadyExistsFault"}
)

// docdbVersions maps each version of DocumentDB to its parameter group family and to the
// version that an upgrade can reach (documentdb/latest/developerguide/docdb-mvu.html).
// Version 3.6 is left out, because AWS no longer supports it.
var docdbVersions = map[string]struct{ family, next string }{
	"4.0.0": {"docdb4.0", "5.0.0"},
	"5.0.0": {"docdb5.0", "8.0.0"},
	"8.0.0": {"docdb8.0", ""},
}

// latestDocdbVersion is the version of a new cluster if the inputs have no version.
const latestDocdbVersion = "8.0.0"

// docdbFamilies returns the sorted parameter group families of all versions.
func docdbFamilies() []string {
	var out []string
	for _, release := range docdbVersions {
		out = append(out, release.family)
	}
	slices.Sort(out)
	return out
}

var _ = registerRows(&Row{
	Token:  docdbClusterType,
	Source: "docdb/cluster.go", Page: "documentdb/latest/developerguide/API_CreateDBCluster.html",
	Label: "DocumentDB Cluster", ID: "{clusterIdentifier}", NotFound: "DBClusterNotFoundFault",
	ExistsCode: "DBClusterAlreadyExistsFault", ExistsText: "DB Cluster already exists: {clusterIdentifier}",
	Naming: &Naming{Prop: "clusterIdentifier", PrefixProp: "clusterIdentifierPrefix", Max: 63, DefaultPrefix: "tf-"},
	Props: Props{
		"clusterIdentifier":        {Replace: true, Computed: true, Valid: databaseName},
		"clusterIdentifierPrefix":  {Replace: true, Computed: true, Valid: databaseNamePrefix},
		"engine":                   {Replace: true, Default: "docdb", Enum: []string{"docdb"}},
		"engineVersion":            {Computed: true, Valid: pattern(`\d\.\d\.\d`, "a version as in 5.0.0")},
		"allowMajorVersionUpgrade": {},
		"applyImmediately":         {},
		"port":                     {Replace: true, Default: 27017.0, Valid: numbers(1150, 65535)},

		"masterUsername":           {Required: true, Replace: true, Valid: all(length(1, 63), pattern(`[A-Za-z][A-Za-z0-9]*`, "letters and digits, beginning with a letter"), checkNotReserved)},
		"masterPassword":           {Valid: hideValue(all(length(8, 100), passwordCharacters))},
		"manageMasterUserPassword": {},

		"storageType":                 {Enum: []string{"standard", "iopt1"}},
		"storageEncrypted":            {Replace: true, Default: false},
		"kmsKeyId":                    {Replace: true, Computed: true, Valid: checkARN, Ref: toDatabaseKey},
		"dbSubnetGroupName":           {Required: true, Replace: true, Computed: true, Ref: toDocdbSubnetGroup},
		"vpcSecurityGroupIds":         {Set: true, Computed: true, Min: 1, Ref: toSecurityGroup},
		"dbClusterParameterGroupName": {Computed: true, Ref: toDocdbParameters},

		"enabledCloudwatchLogsExports": {Enum: []string{"audit", "profiler"}},
		"backupRetentionPeriod":        {Default: 1.0, Valid: numbers(1, 35)},
		"preferredBackupWindow":        {Computed: true, Valid: checkDailyWindow(minDatabaseWindow)},
		"preferredMaintenanceWindow":   {Computed: true, Valid: checkWeeklyWindow(minDatabaseWindow), Same: sameWindow},
		"deletionProtection":           {Default: false},
		"skipFinalSnapshot":            {Default: false},
		"finalSnapshotIdentifier":      {Valid: snapshotName},

		"availabilityZones":       {Set: true, Replace: true, Computed: true, Refuse: "AWS adds zones until there are three, and the next preview replaces the cluster; the subnet group defines its zones"},
		"clusterMembers":          {Set: true, Computed: true, Refuse: "each instance has the cluster's identifier"},
		"globalClusterIdentifier": {Refuse: "global clusters are not supported"},
		"restoreToPointInTime":    {Replace: true, Refuse: notRestored},
		"snapshotIdentifier":      {Replace: true, Valid: sourceSnapshotName},
	},
	AtMostOne: [][]string{{"clusterIdentifier", "clusterIdentifierPrefix"}},
	Requires:  map[string][]string{"kmsKeyId": {"storageEncrypted"}},
	Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:cluster:{clusterIdentifier}"},
	// documentdb/latest/developerguide/API_ModifyDBCluster.html
	Deferral: &Deferral{Props: []string{"engineVersion"}, Window: "preferredMaintenanceWindow"},
	Check:    docdbPassword.check,
	Verify:   verifyDocdb,
	Fill:     fillDocdb,
	Refresh:  refreshDocdb,
	BeforeDelete: func(c *Call) error {
		if c.Old.Bool("deletionProtection") {
			return refuse("InvalidParameterCombination", "Cannot delete protected Cluster, please disable deletion protection and try again.")
		}
		if n := len(c.clusterMembers(c.ID)); n > 0 {
			return refuse("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
		}
		return docdbFinalSnapshot.take(c)
	},
})

// verifyDocdb returns DocumentDB's error for a creation or a change. The causes are the version,
// the encryption, the parameter group, the windows, the snapshot and the security groups.
func verifyDocdb(c *Call) error {
	version := c.docdbVersion()
	release, known := docdbVersions[version]
	oldVersion := c.Old.String("engineVersion")
	switch {
	case !known:
		return refuse("InvalidParameterCombination", "Cannot find version %s for docdb: the stand-in supports %s", version,
			strings.Join(slices.Sorted(maps.Keys(docdbVersions)), ", "))
	case oldVersion != "" && oldVersion != version && docdbVersions[oldVersion].next != version:
		return refuse("InvalidParameterCombination", "Cannot upgrade docdb from %s to %s", oldVersion, version)
	case oldVersion != "" && oldVersion != version && !c.In.Bool("allowMajorVersionUpgrade"):
		return refuse("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
	case c.In.Has("kmsKeyId") && !c.In.Bool("storageEncrypted"):
		return refuse("InvalidParameterCombination", "KmsKeyId can be given for encrypted storage only: storageEncrypted must be true")
	}
	if name := c.In.String("dbClusterParameterGroupName"); name != "" {
		family := strings.TrimPrefix(name, "default.")
		if group, ok := c.referencedObject("dbClusterParameterGroupName"); ok {
			family = Object(group.State).String("family")
		}
		if family != release.family {
			return refuse("InvalidParameterCombination", "The Parameter Group %s with DBParameterGroupFamily %s cannot be used for this instance. "+
				"Please use a Parameter Group with DBParameterGroupFamily %s", name, family, release.family)
		}
	}
	if err := verifyWindows(c, "preferredBackupWindow", "preferredMaintenanceWindow"); err != nil {
		return err
	}
	if err := verifyRestoredDocdb(c); err != nil {
		return err
	}
	return c.verifySecurityGroupVPC("vpcSecurityGroupIds", "dbSubnetGroupName", "DB cluster")
}

// docdbVersion returns the engine version of a cluster: the version in the inputs, or else
// the current version, or else the latest version.
func (c *Call) docdbVersion() string {
	for _, version := range []string{c.In.String("engineVersion"), c.Old.String("engineVersion")} {
		if version != "" {
			return version
		}
	}
	return latestDocdbVersion
}

// fillDocdb computes the outputs of a cluster: the endpoints, and the values that AWS
// chooses if the program sets none.
func fillDocdb(c *Call) error {
	group, _ := c.referencedObject("dbSubnetGroupName")
	zones := []any{}
	for _, zone := range c.zonesOfSubnetGroup(group) {
		zones = append(zones, zone)
	}
	if !c.Out.Has("clusterResourceId") {
		id, err := c.expand("cluster-{id26}")
		if err != nil {
			return err
		}
		c.Out["clusterResourceId"] = id
	}
	hash := c.regionalHash("rds", 12)
	c.Out.setDefaults(map[string]any{
		"vpcSecurityGroupIds": c.defaultGroupIDs(c.vpcOfSubnetGroup(group)), "preferredBackupWindow": "07:00-07:30",
		"preferredMaintenanceWindow": "sun:08:30-sun:09:00", "availabilityZones": zones, "clusterIdentifierPrefix": "",
	})
	c.Out["preferredMaintenanceWindow"] = strings.ToLower(c.Out.String("preferredMaintenanceWindow"))
	c.Out["engineVersion"] = c.docdbVersion()
	// Without a parameter group in the inputs, a cluster has the default group of its version,
	// also after an upgrade.
	family := docdbVersions[c.docdbVersion()].family
	if !c.In.Has("dbClusterParameterGroupName") && !strings.HasSuffix(c.Out.String("dbClusterParameterGroupName"), family) {
		c.Out["dbClusterParameterGroupName"] = "default." + family
	}
	c.Out["hostedZoneId"] = c.databaseZoneID()
	c.Out["endpoint"] = fmt.Sprintf("%s.cluster-%s.%s.docdb.amazonaws.com", c.ID, hash, c.Region)
	c.Out["readerEndpoint"] = fmt.Sprintf("%s.cluster-ro-%s.%s.docdb.amazonaws.com", c.ID, hash, c.Region)
	switch {
	case !c.In.Bool("storageEncrypted"):
		c.Out["kmsKeyId"] = ""
	case c.Out.String("kmsKeyId") == "":
		c.Out["kmsKeyId"] = c.awsKeyARN("rds")
	}
	if err := fillRestoredDocdb(c); err != nil {
		return err
	}
	return docdbPassword.fillSecret(c)
}

// refreshDocdb sets clusterMembers to the ids of the cluster's instances.
func refreshDocdb(c *Call) error {
	members := []any{}
	for _, o := range c.clusterMembers(c.ID) {
		members = append(members, o.ID)
	}
	c.Out["clusterMembers"] = members
	return nil
}

// clusterMembers returns the instances of a cluster, oldest first. The oldest instance is the
// writer. An instance that this transaction has deleted is left out.
func (c *Call) clusterMembers(clusterID string) []store.Object {
	var out []store.Object
	c.Tx.Each(c.scope(c.Row), docdbInstanceType, func(o store.Object) bool {
		if _, exists := c.Tx.Get(o.Key); exists && Object(o.State).String("clusterIdentifier") == clusterID {
			out = append(out, o)
		}
		return true
	})
	slices.SortFunc(out, func(a, b store.Object) int {
		if n := a.Created.Compare(b.Created); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}
