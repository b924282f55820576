package rules

const (
	backupVaultType     = "aws:backup/vault:Vault"
	backupPlanType      = "aws:backup/plan:Plan"
	backupSelectionType = "aws:backup/selection:Selection"
)

// AWS Backup's error code for a value that it refuses. The texts of the errors were not checked
// against AWS's documentation, except where a comment names a source.
const backupValueCode = "InvalidParameterValueException"

var (
	toVaultKey   = &Ref{To: []string{keyType}, By: []string{"arn"}, Noun: "KMS key", Missing: backupValueCode}
	toVault      = &Ref{To: []string{backupVaultType}, Noun: "backup vault", Missing: backupValueCode}
	toVaultARN   = &Ref{To: []string{backupVaultType}, By: []string{"arn"}, Noun: "backup vault", Missing: backupValueCode}
	toBackupRole = &Ref{To: []string{roleType}, By: []string{"arn"}, Noun: "IAM role", Missing: backupValueCode}
	// toBackedUp is a reference to a resource that a plan backs up. The stand-in supports only
	// clusters of DocumentDB.
	toBackedUp = &Ref{To: []string{docdbClusterType}, By: []string{"arn"}, Noun: "DocumentDB cluster", Missing: backupValueCode}
	// toBackupPlan prevents the deletion of a plan with selections
	// (aws-backup/latest/devguide/API_DeleteBackupPlan.html).
	toBackupPlan = &Ref{To: []string{backupPlanType}, Noun: "backup plan", Missing: backupValueCode, InUseCode: "InvalidRequestException"}
)

// maxBackupDays is the longest lifecycle of a backup, 100 years
// (aws-backup/latest/devguide/API_BackupRuleInput.html). minStartWindow and maxWindow, in minutes,
// are from the same page.
const (
	maxBackupDays  = 36500
	minStartWindow = 60
	maxWindow      = 52560000
)

const noColdStorage = "cold storage is not supported yet; AWS Backup has none for DocumentDB"

var _ = registerRows(
	// The vault has no backups: the stand-in runs no backup jobs. So it never refuses a deletion.
	&Row{
		Token:  backupVaultType,
		Source: "backup/vault.go", Page: "aws-backup/latest/devguide/API_CreateBackupVault.html",
		Label: "Backup Vault", ID: "{name}", NotFound: "ResourceNotFoundException",
		ExistsCode: "AlreadyExistsException", ExistsText: "Backup vault with the same name already exists: {name}",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":         {Replace: true},
			"kmsKeyArn":    {Replace: true, Computed: true, Valid: checkARN, Ref: toVaultKey},
			"forceDestroy": {Default: false},
		},
		Outputs: map[string]string{"arn": "arn:{partition}:backup:{region}:{account}:backup-vault:{name}"},
		Verify: func(c *Call) error {
			key := c.In.String("kmsKeyArn")
			if key != "" && regionOfARN(key) != c.Region {
				return refuse(backupValueCode, "The key %s is not in %s", key, c.Region)
			}
			return nil
		},
		Fill: func(c *Call) error {
			c.Out.setDefaults(map[string]any{"kmsKeyArn": c.awsKeyARN("backup"), "recoveryPoints": 0.0})
			return nil
		},
	},
	&Row{
		Token:  backupPlanType,
		Source: "backup/plan.go", Page: "aws-backup/latest/devguide/API_CreateBackupPlan.html",
		Label: "Backup Plan", ID: "{uuid}", NotFound: "ResourceNotFoundException",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":                                    {Replace: true},
			"advancedBackupSettings":                  {Set: true, Refuse: "is for backups of EC2 instances"},
			"rules":                                   {Set: true, Min: 1},
			"rules.ruleName":                          {},
			"rules.targetVaultName":                   {Ref: toVault},
			"rules.schedule":                          {Required: true, Valid: pattern(`cron\([^()]+\)`, "a schedule as in cron(0 5 * * ? *)")},
			"rules.scheduleExpressionTimezone":        {Default: "Etc/UTC"},
			"rules.startWindow":                       {Default: 60.0, Valid: numbers(minStartWindow, maxWindow)},
			"rules.completionWindow":                  {Default: 180.0, Valid: numbers(1, maxWindow)},
			"rules.enableContinuousBackup":            {Refuse: "AWS Backup has no continuous backups of DocumentDB"},
			"rules.recoveryPointTags":                 {},
			"rules.lifecycle":                         {},
			"rules.lifecycle.deleteAfter":             {Valid: numbers(1, maxBackupDays)},
			"rules.copyActions":                       {Set: true},
			"rules.copyActions.destinationVaultArn":   {Valid: checkARN, Ref: toVaultARN},
			"rules.copyActions.lifecycle":             {},
			"rules.copyActions.lifecycle.deleteAfter": {Valid: numbers(1, maxBackupDays)},
		}.with(refusedProps(noColdStorage, "rules.lifecycle.", "coldStorageAfter", "optInToArchiveForSupportedResources")).
			with(refusedProps(noColdStorage, "rules.copyActions.lifecycle.", "coldStorageAfter", "optInToArchiveForSupportedResources")),
		Outputs:  map[string]string{"arn": "arn:{partition}:backup:{region}:{account}:backup-plan:{id}"},
		Volatile: []string{"version"},
		Verify:   verifyBackupPlan,
		Fill: func(c *Call) error {
			version, err := c.expand("{hex48}")
			c.Out["version"] = version
			return err
		},
	},
	&Row{
		Token:  backupSelectionType,
		Source: "backup/selection.go", Page: "aws-backup/latest/devguide/API_CreateBackupSelection.html",
		Label: "Backup Selection", ID: "{uuid}", NotFound: "ResourceNotFoundException",
		Naming: &Naming{Prop: "name", Max: 255},
		Props: Props{
			"name":       {Replace: true},
			"planId":     {Replace: true, Ref: toBackupPlan},
			"iamRoleArn": {Replace: true, Valid: checkARN, Ref: toBackupRole},
			"resources":  {Required: true, Replace: true, Set: true, Min: 1, Valid: checkARN, Ref: toBackedUp},
		}.with(refusedProps("is not supported yet; name the resources", "", "conditions", "notResources", "selectionTags")),
		Verify: func(c *Call) error {
			role, _ := c.referencedObject("iamRoleArn")
			if !trusts(role, "backup.amazonaws.com") { // the text is from the provider's source
				return refuse(backupValueCode, "IAM Role %s cannot be assumed by AWS Backup", c.In.String("iamRoleArn"))
			}
			return nil
		},
	},
)

// verifyBackupPlan returns an error for a copy within the region of the backup. AWS Backup allows
// such copies, and they do not survive a loss of the region.
func verifyBackupPlan(c *Call) error {
	for _, rule := range c.In.Objects("rules") {
		for _, copyAction := range rule.Objects("copyActions") {
			if vault := copyAction.String("destinationVaultArn"); regionOfARN(vault) == c.Region {
				return refuse(backupValueCode, "The copy to %s is in the region of the backup: this is not supported yet", vault)
			}
		}
	}
	return nil
}
