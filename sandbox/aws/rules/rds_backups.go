package rules

import (
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const backupCopyType = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"

// toCopiedDatabase is a reference by ARN to the database from which RDS copies the backups.
var toCopiedDatabase = &Ref{To: []string{dbInstanceType}, By: []string{"arn"}, Noun: "DB instance", Missing: "DBInstanceNotFound"}

// backupRegions maps the region of a database to the regions to which RDS can copy its
// automated backups. The source is the table "AWS Region support" of
// AmazonRDS/latest/UserGuide/USER_ReplicateBackups.html, in a copy of 2023. Regions that the
// stand-in does not have are left out.
var backupRegions = map[string]string{
	"us-east-1":      "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-2 us-west-2",
	"us-east-2":      "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ca-central-1 eu-central-1 eu-west-1 sa-east-1 us-east-1 us-west-2",
	"us-west-2":      "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 us-east-1 us-east-2",
	"ca-central-1":   "eu-west-1 us-east-1 us-east-2 us-west-2",
	"eu-central-1":   "eu-west-1 eu-west-2 eu-west-3 eu-north-1 us-east-1 us-east-2 us-west-2",
	"eu-west-1":      "ca-central-1 eu-central-1 eu-west-2 eu-west-3 eu-north-1 us-east-1 us-east-2 us-west-2",
	"eu-west-2":      "eu-central-1 eu-west-1 eu-west-3 eu-north-1 us-east-1",
	"eu-west-3":      "eu-central-1 eu-west-1 eu-west-2 eu-north-1 us-east-1",
	"eu-north-1":     "eu-central-1 eu-west-1 eu-west-2 eu-west-3 us-east-1",
	"ap-south-1":     "ap-southeast-1 us-east-1 us-east-2 us-west-2",
	"ap-northeast-1": "ap-northeast-2 ap-southeast-1 us-east-1 us-east-2 us-west-2",
	"ap-northeast-2": "ap-southeast-1 ap-northeast-1 us-east-1 us-east-2 us-west-2",
	"ap-southeast-1": "ap-south-1 ap-northeast-2 ap-southeast-2 ap-northeast-1 us-east-1 us-east-2 us-west-2",
	"ap-southeast-2": "ap-southeast-1 us-east-1 us-west-2",
	"sa-east-1":      "us-east-1 us-east-2",
}

// As in the provider, the object is in the region of the copies. The error codes are from
// API_StartDBInstanceAutomatedBackupsReplication. The error texts were not checked against
// AWS's documentation.
var _ = registerRows(&Row{
	Token:  backupCopyType,
	Source: "rds/instance_automated_backups_replication.go", Page: "AmazonRDS/latest/APIReference/API_StartDBInstanceAutomatedBackupsReplication.html",
	Label: "RDS DB Instance Automated Backup", ID: "arn:{partition}:rds:{region}:{account}:auto-backup:ab-{id26}", NotFound: "DBInstanceAutomatedBackupNotFound",
	Props: Props{
		"sourceDbInstanceArn": {Replace: true, Valid: checkARN, Ref: toCopiedDatabase},
		"kmsKeyId":            {Replace: true, Computed: true, Valid: checkARN, Ref: toDatabaseKey},
		"retentionPeriod":     {Replace: true, Default: 7.0, Valid: numbers(1, 35)},
		"preSignedUrl":        {Replace: true, Refuse: "only for AWS GovCloud; the provider signs the request elsewhere"},
	},
	Verify: verifyBackupCopy,
	BeforeDelete: func(c *Call) error {
		// AmazonRDS/latest/UserGuide/AutomatedBackups.StopReplicating.html: the copies are
		// retained for the period that was set when they were created.
		c.retain(automatedBackupType, c.ID, Object{"source": c.Old["sourceDbInstanceArn"], "kmsKeyId": c.Old["kmsKeyId"], "backupRetentionPeriod": c.Old["retentionPeriod"]})
		return nil
	},
})

// verifyBackupCopy returns RDS's error if RDS cannot copy the automated backups to the
// provider's region.
func verifyBackupCopy(c *Call) error {
	source, ok := c.referencedObject("sourceDbInstanceArn")
	if !ok {
		return nil
	}
	state := Object(source.State)
	if !slices.Contains(strings.Fields(backupRegions[source.Region]), c.Region) {
		return refuse("InvalidParameterValue", "Automated backups can't be replicated from %s to %s", source.Region, c.Region)
	}
	if state.Int("backupRetentionPeriod") == 0 {
		return refuse("InvalidDBInstanceState", "Automated backups are not enabled for %s", source.ID)
	}
	key := c.In.String("kmsKeyId")
	if state.Bool("storageEncrypted") && key == "" {
		return refuse("InvalidParameterCombination", "%s is encrypted: a KMS key of %s must be given", source.ID, c.Region)
	}
	if arn := strings.Split(key, ":"); len(arn) > 3 && arn[3] != c.Region { // the fourth part of an ARN is the region
		return refuse("KMSKeyNotAccessibleFault", "The key %s is not in %s", key, c.Region)
	}
	var conflict error
	c.Tx.Each(c.scope(c.Row), backupCopyType, func(o store.Object) bool {
		if o.ID != c.ID && o.State["sourceDbInstanceArn"] == c.In["sourceDbInstanceArn"] {
			conflict = refuse("InvalidDBInstanceState", "Automated backups of %s are replicated to %s already", source.ID, c.Region)
		}
		return conflict == nil
	})
	return conflict
}
