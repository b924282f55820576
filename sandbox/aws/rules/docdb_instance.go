package rules

import (
	"fmt"
	"slices"
	"strings"
)

const docdbInstanceType = "aws:docdb/clusterInstance:ClusterInstance"

// maxMembers is the maximum number of instances in a cluster, a writer and 15 readers
// (documentdb/latest/developerguide/limits.html).
const maxMembers = 16

// toDocdbCluster is a reference to a cluster. It has no InUseCode, because the BeforeDelete of the
// cluster's row refuses to delete a cluster with instances.
var toDocdbCluster = &Ref{To: []string{docdbClusterType}, Noun: "DB cluster", Missing: "DBClusterNotFoundFault"}

var _ = registerRows(&Row{
	Token:  docdbInstanceType,
	Source: "docdb/cluster_instance.go", Page: "documentdb/latest/developerguide/API_CreateDBInstance.html",
	Label: "DocumentDB Cluster Instance", ID: "{identifier}", NotFound: "DBInstanceNotFound",
	ExistsCode: "DBInstanceAlreadyExists", ExistsText: "DB instance already exists: {identifier}",
	Naming: &Naming{Prop: "identifier", PrefixProp: "identifierPrefix", Max: 63, DefaultPrefix: "tf-"},
	Props: Props{
		"identifier":                 {Replace: true, Computed: true, Valid: databaseName},
		"identifierPrefix":           {Replace: true, Computed: true, Valid: databaseNamePrefix},
		"clusterIdentifier":          {Replace: true, Ref: toDocdbCluster},
		"engine":                     {Replace: true, Default: "docdb", Enum: []string{"docdb"}},
		"instanceClass":              {Valid: docdbClasses.check},
		"availabilityZone":           {Replace: true, Computed: true},
		"promotionTier":              {Default: 0.0, Valid: numbers(0, 15)},
		"preferredMaintenanceWindow": {Computed: true, Valid: checkWeeklyWindow(minDatabaseWindow), Same: sameWindow},
		"autoMinorVersionUpgrade":    {Default: true},
		"applyImmediately":           {},
		"caCertIdentifier":           {Computed: true, Enum: dbCertificates},
		"copyTagsToSnapshot":         {Default: false},
		// AWS does not return the next two properties.
		"enablePerformanceInsights":   {},
		"performanceInsightsKmsKeyId": {Computed: true, Valid: checkARN, Ref: toDatabaseKey},
	},
	AtMostOne: [][]string{{"identifier", "identifierPrefix"}},
	Requires:  map[string][]string{"performanceInsightsKmsKeyId": {"enablePerformanceInsights"}},
	Outputs:   map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:db:{identifier}"},
	// documentdb/latest/developerguide/API_ModifyDBInstance.html
	Deferral: &Deferral{Props: []string{"instanceClass"}, Window: "preferredMaintenanceWindow"},
	Verify: func(c *Call) error {
		cluster, _ := c.referencedObject("clusterIdentifier")
		if c.Old == nil && len(c.clusterMembers(cluster.ID)) >= maxMembers {
			return refuse("InstanceQuotaExceeded", "Cluster %s has %d instances; there can't be more", cluster.ID, maxMembers)
		}
		zones := Object(cluster.State).Strings("availabilityZones")
		if zone := c.In.String("availabilityZone"); zone != "" && !slices.Contains(zones, zone) {
			return refuse("InvalidParameterCombination", "The availability zone %s has no subnet in the cluster's DB subnet group, which covers %s",
				zone, strings.Join(zones, ", "))
		}
		return nil
	},
	Fill:    fillDocdbInstance,
	Refresh: refreshDocdbInstance,
})

// fillDocdbInstance computes the outputs of an instance. It distributes the instances of
// a cluster over the cluster's availability zones.
func fillDocdbInstance(c *Call) error {
	clusterObject, _ := c.referencedObject("clusterIdentifier")
	cluster := Object(clusterObject.State)
	if !c.Out.Has("dbiResourceId") {
		id, err := c.expand("db-{id26}")
		if err != nil {
			return err
		}
		c.Out["dbiResourceId"] = id
	}
	zones := cluster.Strings("availabilityZones")
	c.Out.setDefaults(map[string]any{
		"availabilityZone": zones[len(c.clusterMembers(clusterObject.ID))%len(zones)], "caCertIdentifier": dbCertificates[0],
		"preferredMaintenanceWindow": "sun:08:30-sun:09:00", "performanceInsightsKmsKeyId": "", "identifierPrefix": "",
	})
	c.Out["preferredMaintenanceWindow"] = strings.ToLower(c.Out.String("preferredMaintenanceWindow"))
	c.Out["endpoint"] = fmt.Sprintf("%s.%s.%s.docdb.amazonaws.com", c.ID, c.regionalHash("rds", 12), c.Region)
	c.Out["publiclyAccessible"] = false
	return nil
}

// refreshDocdbInstance copies the values that an instance shares with its cluster. It also sets
// the output writer: the oldest instance is the writer.
func refreshDocdbInstance(c *Call) error {
	clusterObject, ok := c.resolve(toDocdbCluster, c.Out.String("clusterIdentifier"))
	if !ok {
		return nil
	}
	cluster := Object(clusterObject.State)
	for _, name := range []string{
		"dbSubnetGroupName", "engineVersion", "kmsKeyId", "port", "preferredBackupWindow", "storageEncrypted",
	} {
		c.Out[name] = cluster[name]
	}
	members := c.clusterMembers(clusterObject.ID)
	c.Out["writer"] = len(members) == 0 || members[0].ID == c.ID
	return nil
}
