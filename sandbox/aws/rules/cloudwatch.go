package rules

import (
	"fmt"
	"strings"
)

const logGroupType = "aws:cloudwatch/logGroup:LogGroup"

var toLogGroup = &Ref{To: []string{logGroupType}, By: []string{"arn"}, Noun: "log group", Missing: "InvalidParameter"}

var _ = registerRows(
	&Row{
		Token:  logGroupType,
		Source: "logs/group.go", Page: "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
		Label: "CloudWatch Logs Log Group", ID: "{name}", NotFound: "ResourceNotFoundException",
		ExistsCode: "ResourceAlreadyExistsException", ExistsText: "The specified log group already exists",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props: Props{
			"name":          {Replace: true, Computed: true, Valid: all(length(1, 512), checkLogGroupName, withoutPrefix("aws/"))},
			"namePrefix":    {Replace: true, Computed: true, Valid: all(length(1, 486), checkLogGroupName, withoutPrefix("aws/"))},
			"logGroupClass": {Replace: true, Computed: true},
			"retentionInDays": {Default: 0.0, Valid: oneOf(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827,
				2192, 2557, 2922, 3288, 3653)},
			"kmsKeyId": {Valid: checkARN, Ref: &Ref{To: []string{keyType}, By: []string{"arn"}, Noun: "KMS key", Missing: "AccessDeniedException"}},
			// With skipDestroy the provider keeps the group when the resource is
			// deleted.
			"skipDestroy": {Default: false},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"},
		Verify:    verifyLogGroup,
		Fill: func(c *Call) error {
			if !c.Out.Has("logGroupClass") {
				c.Out["logGroupClass"] = "STANDARD"
			}
			return nil
		},
		BeforeDelete: func(c *Call) error {
			if c.Old.Bool("skipDestroy") {
				return errKept
			}
			return nil
		},
	},
)

// checkLogGroupName returns a message unless the characters are allowed in the name of a log
// group (API_CreateLogGroup.html).
var checkLogGroupName = pattern(`[.\-_/#A-Za-z0-9]+`, "letters, digits and . - _ / #")

// logKeyActions are the actions that CloudWatch Logs needs on a key
// (AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html).
var logKeyActions = []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"}

// verifyLogGroup returns an error if the policy of the KMS key does not allow CloudWatch
// Logs to use the key for the log group.
func verifyLogGroup(c *Call) error {
	key, ok := c.referencedObject("kmsKeyId")
	if !ok {
		return nil
	}
	service := fmt.Sprintf("logs.%s.amazonaws.com", c.Region)
	logGroupARN := strings.Join([]string{"arn", c.Partition, "logs", c.Region, c.Account, "log-group", c.In.String("name")}, ":")
	for _, action := range logKeyActions {
		if !keyAllows(Object(key.State).String("policy"), service, action, logGroupARN) {
			return refuse("AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn '%s': "+
				"its policy must allow %s to do %s", logGroupARN, service, strings.Join(logKeyActions, ", "))
		}
	}
	return nil
}
