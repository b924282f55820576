package rules

const (
	dbInstanceType = "aws:rds/instance:Instance"

	notPostgres = "it is not for PostgreSQL"
	notRestored = "copies of other databases are not supported yet"
)

// toMonitoringRole is a reference to the role of enhanced monitoring.
var toMonitoringRole = &Ref{To: []string{roleType}, By: []string{"arn"}, Noun: "role", Missing: "InvalidParameterValue"}

// toDatabaseKey is a reference to a key by its ARN. toSecretKey is a reference to a key by
// its id, its ARN or an alias.
var (
	toDatabaseKey = &Ref{To: []string{keyType}, By: []string{"arn"}, Noun: "KMS key", Missing: "KMSKeyNotAccessibleFault"}
	toSecretKey   = &Ref{To: []string{keyType, aliasType}, By: []string{"id", "arn"}, Noun: "KMS key", Missing: "KMSKeyNotAccessibleFault"}
)

var (
	instancePassword = masterPassword{property: "password", keyProperty: "masterUserSecretKmsKeyId", prefix: "rds!db-"}
	finalDBSnapshot  = finalSnapshot{instanceSnapshotType, "DBSnapshotAlreadyExists"}
)

// dbCertificates are AWS's certificate authorities
// (AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html).
var dbCertificates = []string{"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"}

// deferredByRDS lists the properties that RDS changes in the maintenance window. It has only the
// fields of AmazonRDS/latest/APIReference/API_PendingModifiedValues.html that the stacks of this
// repository change.
var deferredByRDS = &Deferral{
	Props:  []string{"instanceClass", "multiAz", "engineVersion", "allocatedStorage", "storageType", "iops", "storageThroughput"},
	Window: "maintenanceWindow",
}

var _ = registerRows(&Row{
	Token:  dbInstanceType,
	Source: "rds/instance.go", Page: "AmazonRDS/latest/APIReference/API_CreateDBInstance.html",
	Label: "RDS DB Instance", ID: "db-{id26}", NotFound: "DBInstanceNotFound",
	// pulumi-aws adds no dash before the digits.
	Naming: &Naming{Prop: "identifier", PrefixProp: "identifierPrefix", Max: 255, NoDash: true},
	Props: Props{
		"identifier":               {Computed: true, Valid: databaseName},
		"identifierPrefix":         {Computed: true, Valid: databaseNamePrefix},
		"engine":                   {Required: true, Replace: true, Enum: []string{"postgres"}},
		"engineVersion":            {Computed: true, Valid: pattern(`\d+(?:\.\d+)?`, "a version as in 17 or 17.6")},
		"allowMajorVersionUpgrade": {},
		"autoMinorVersionUpgrade":  {Default: true},
		"engineLifecycleSupport":   {Computed: true, Enum: []string{"open-source-rds-extended-support", "open-source-rds-extended-support-disabled"}},
		"instanceClass":            {Valid: dbClasses.check},
		"applyImmediately":         {Default: false},

		"dbName":                   {Replace: true, Computed: true, Valid: all(length(1, 63), pattern(`[A-Za-z]\w*`, "letters, digits and _, beginning with a letter"), checkNotReserved)},
		"username":                 {Required: true, Replace: true, Valid: all(length(1, 63), pattern(`[A-Za-z]\w*`, "letters, digits and _, beginning with a letter"), checkNotReserved)},
		"password":                 {Valid: hideValue(all(length(8, 128), passwordCharacters))},
		"manageMasterUserPassword": {},
		"masterUserSecretKmsKeyId": {Computed: true, Ref: toSecretKey},
		"port":                     {Computed: true, Valid: numbers(1150, 65535)},

		"allocatedStorage":     {Required: true, Computed: true, Valid: numbers(20, 65536)},
		"maxAllocatedStorage":  {Valid: numbers(0, 65536)},
		"storageType":          {Computed: true, Enum: []string{"gp2", "gp3", "io1", "io2"}},
		"iops":                 {Computed: true},
		"storageThroughput":    {Computed: true},
		"dedicatedLogVolume":   {Default: false},
		"upgradeStorageConfig": {Refuse: notRestored},
		"storageEncrypted":     {Replace: true, Default: false},
		"kmsKeyId":             {Replace: true, Computed: true, Valid: checkARN, Ref: toDatabaseKey},

		"dbSubnetGroupName":   {Required: true, Computed: true, Ref: toDBSubnetGroup},
		"vpcSecurityGroupIds": {Set: true, Computed: true, Min: 1, Ref: toSecurityGroup},
		"availabilityZone":    {Replace: true, Computed: true},
		"multiAz":             {Computed: true},
		"publiclyAccessible":  {Default: false},
		"networkType":         {Computed: true, Enum: []string{"IPV4"}},

		"parameterGroupName": {Computed: true, Ref: toDBParameters},
		"optionGroupName":    {Computed: true, Refuse: "PostgreSQL has no options"},
		"caCertIdentifier":   {Computed: true, Enum: dbCertificates},
		// AWS allows these logs for PostgreSQL. iam-db-auth-error has the sign-in errors of
		// IAM.
		"enabledCloudwatchLogsExports":     {Set: true, Enum: []string{"postgresql", "upgrade", "iam-db-auth-error"}},
		"iamDatabaseAuthenticationEnabled": {Default: false},

		"backupRetentionPeriod":   {Computed: true, Valid: numbers(0, 35)},
		"backupWindow":            {Computed: true, Valid: checkDailyWindow(minDatabaseWindow)},
		"backupTarget":            {Replace: true, Computed: true, Enum: []string{"region"}},
		"maintenanceWindow":       {Computed: true, Valid: checkWeeklyWindow(minDatabaseWindow), Same: sameWindow},
		"copyTagsToSnapshot":      {Default: false},
		"deleteAutomatedBackups":  {Default: true},
		"deletionProtection":      {Default: false},
		"skipFinalSnapshot":       {Default: false},
		"finalSnapshotIdentifier": {Valid: snapshotName},

		"monitoringInterval":                 {Default: 0.0, Valid: oneOf(0, 1, 5, 10, 15, 30, 60)},
		"monitoringRoleArn":                  {Computed: true, Valid: checkARN, Ref: toMonitoringRole},
		"databaseInsightsMode":               {Computed: true, Enum: []string{"standard", "advanced"}},
		"performanceInsightsEnabled":         {Default: false},
		"performanceInsightsKmsKeyId":        {Computed: true, Valid: checkARN, Ref: toDatabaseKey},
		"performanceInsightsRetentionPeriod": {Computed: true, Valid: checkInsightsRetention},

		"name":                     {Replace: true, Refuse: "deprecated; use dbName"},
		"blueGreenUpdate":          {Refuse: "blue/green deployments are not supported yet"},
		"characterSetName":         {Replace: true, Refuse: notPostgres},
		"ncharCharacterSetName":    {Replace: true, Refuse: notPostgres},
		"timezone":                 {Replace: true, Refuse: notPostgres},
		"licenseModel":             {Computed: true, Enum: []string{"postgresql-license"}},
		"customIamInstanceProfile": {Replace: true, Refuse: notPostgres},
		"customerOwnedIpEnabled":   {Refuse: "Outposts are not supported"},
		"domain":                   {Refuse: "directories are not supported"},
		"domainAuthSecretArn":      {Refuse: "directories are not supported"},
		"domainDnsIps":             {Refuse: "directories are not supported"},
		"domainFqdn":               {Refuse: "directories are not supported"},
		"domainIamRoleName":        {Refuse: "directories are not supported"},
		"domainOu":                 {Refuse: "directories are not supported"},
		"replicaMode":              {Refuse: notPostgres},
		"replicateSourceDb":        {Refuse: notRestored},
		"restoreToPointInTime":     {Replace: true, Refuse: notRestored},
		"s3Import":                 {Refuse: notPostgres},
		"snapshotIdentifier":       {Replace: true, Valid: sourceSnapshotName},
	},
	AtMostOne: [][]string{{"identifier", "identifierPrefix"}},
	Requires: map[string][]string{
		"masterUserSecretKmsKeyId": {"manageMasterUserPassword"}, "kmsKeyId": {"storageEncrypted"},
		"performanceInsightsKmsKeyId": {"performanceInsightsEnabled"}, "performanceInsightsRetentionPeriod": {"performanceInsightsEnabled"},
	},
	Unique:  []Unique{{Props: []string{"identifier"}, Code: "DBInstanceAlreadyExists", Message: "DB instance already exists: {identifier}"}},
	Outputs: map[string]string{"arn": "arn:{partition}:rds:{region}:{account}:db:{identifier}", "resourceId": "{id}"},
	// With maxAllocatedStorage, AWS increases the storage by itself. The provider then
	// ignores the difference.
	IgnoreDiff: func(state, in Object) []string {
		if requested := in.Int("allocatedStorage"); state.Int("allocatedStorage") > requested && in.Int("maxAllocatedStorage") > requested {
			return []string{"allocatedStorage"}
		}
		return nil
	},
	Deferral: deferredByRDS,
	Check:    instancePassword.check,
	Verify:   verifyDBInstance,
	Fill:     fillDBInstance,
	BeforeDelete: func(c *Call) error {
		if c.Old.Bool("deletionProtection") {
			return refuse("InvalidParameterCombination", "Cannot delete protected DB Instance, please disable deletion protection and try again.")
		}
		if err := finalDBSnapshot.take(c); err != nil {
			return err
		}
		// RDS identifies a retained automated backup by the resource id of the instance
		// (AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Retaining.html).
		if !c.Old.Bool("deleteAutomatedBackups") && c.Old.Int("backupRetentionPeriod") > 0 {
			backup := snapshotState(c.Old)
			backup["source"], backup["backupRetentionPeriod"] = c.Old.String("identifier"), c.Old["backupRetentionPeriod"]
			c.retain(automatedBackupType, c.ID, backup)
		}
		return nil
	},
	Volatile: []string{"latestRestorableTime"},
})
