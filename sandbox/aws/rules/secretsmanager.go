package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	secretType        = "aws:secretsmanager/secret:Secret"
	secretVersionType = "aws:secretsmanager/secretVersion:SecretVersion"
)

// toSecret is a reference to a secret. The deletion of the secret also deletes the
// resource that has the reference.
var toSecret = &Ref{
	To: []string{secretType}, By: []string{"id", "name"}, Noun: "secret", Missing: "ResourceNotFoundException", DeletedWith: true,
}

// Limits of Secrets Manager (secretsmanager/latest/userguide/reference_limits.html).
const (
	maxSecretValue  = 65536 // bytes
	maxSecretPolicy = 20480 // characters
)

var secretName = pattern(`[A-Za-z0-9/_+=.@-]+`, "letters, digits and /_+=.@-")

// checkRecoveryWindow returns a message unless v is a number of days after which AWS
// removes a deleted secret: 0, or 7 to 30.
func checkRecoveryWindow(v any) string {
	if n, _ := v.(float64); n == 0 || (n >= 7 && n <= 30) {
		return ""
	}
	return fmt.Sprintf("is %v, must be 0 or 7 to 30", v)
}

// checkSecretSize returns a message for a secret's value that is empty or too long.
func checkSecretSize(v any) string {
	if s, _ := v.(string); s == "" || len(s) > maxSecretValue {
		return fmt.Sprintf("has %d bytes, must have 1 to %d", len(s), maxSecretValue)
	}
	return ""
}

var _ = registerRows(
	&Row{
		Token:  secretType,
		Source: "secretsmanager/secret.go", Page: "secretsmanager/latest/apireference/API_CreateSecret.html",
		Label: "Secrets Manager Secret", NotFound: "ResourceNotFoundException",
		NewID: func(c *Call) (string, error) {
			return c.expand("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{id6}")
		},
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 255},
		Props: Props{
			"name":                        {Replace: true, Computed: true, Valid: all(length(1, 512), secretName)},
			"namePrefix":                  {Replace: true, Computed: true, Valid: all(length(1, 486), secretName)},
			"description":                 {},
			"kmsKeyId":                    {Ref: toSecretKey},
			"policy":                      {Computed: true, JSON: true, Valid: policyDocument(resourcePolicy, maxSecretPolicy)},
			"recoveryWindowInDays":        {Default: 30.0, Valid: checkRecoveryWindow},
			"forceOverwriteReplicaSecret": {Default: false},
			"replicas":                    {Computed: true, Refuse: "copies in other regions are not supported yet"},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "{id}"},
		Unique: []Unique{{
			Props: []string{"name"}, Code: "ResourceExistsException",
			Message: "The operation failed because the secret {name} already exists.",
		}},
		Verify: func(c *Call) error {
			if err := c.verifyPrincipals("policy", "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal"); err != nil {
				return err
			}
			return verifyNameNotRetained(c)
		},
		Fill: func(c *Call) error {
			c.Out.setDefaults(map[string]any{"policy": "", "replicas": []any{}, "namePrefix": ""})
			return nil
		},
		BeforeDelete: retainSecretName,
	},
	&Row{
		Token:  secretVersionType,
		Source: "secretsmanager/secret_version.go", Page: "secretsmanager/latest/apireference/API_PutSecretValue.html",
		Label: "Secrets Manager Secret Version", ID: "{secretId}|{versionId}", NotFound: "ResourceNotFoundException",
		Props: Props{
			"secretId":      {Replace: true, Ref: toSecret},
			"secretString":  {Replace: true, Valid: checkSecretSize},
			"secretBinary":  {Replace: true, Valid: hideValue(all(checkSecretSize, pattern(`[A-Za-z0-9+/]*={0,2}`, "base64")))},
			"versionStages": {Set: true, Computed: true, Max: 20, Valid: length(1, 256)},
		},
		ExactlyOne: [][]string{{"secretString", "secretBinary"}},
		Verify: func(c *Call) error {
			if c.Old != nil {
				return nil
			}
			// The template of the id contains versionId, so Fill would be too late.
			versionID, err := randomUUID()
			c.Out["versionId"] = versionID
			return err
		},
		Fill: func(c *Call) error {
			secret, _ := c.referencedObject("secretId")
			c.Out["arn"] = secret.ID
			if c.Old == nil {
				c.Out.setDefaults(map[string]any{"versionStages": []any{currentStage}})
				addCurrentStage(c)
				return moveStages(c)
			}
			return nil
		},
	},
	&Row{
		Token:  "aws:secretsmanager/secretPolicy:SecretPolicy",
		Source: "secretsmanager/secret_policy.go", Page: "secretsmanager/latest/apireference/API_PutResourcePolicy.html",
		Label: "Secrets Manager Secret Policy", ID: "{secretArn}", NotFound: "ResourceNotFoundException", Put: true,
		Props: Props{
			"secretArn":         {Replace: true, Valid: checkARN, Ref: toSecret},
			"policy":            {JSON: true, Valid: policyDocument(resourcePolicy, maxSecretPolicy)},
			"blockPublicPolicy": {},
		},
		Verify: func(c *Call) error {
			if c.In.Bool("blockPublicPolicy") && slices.Contains(principals(c.In.String("policy"), "AWS"), "*") {
				return refuse("PublicPolicyException", "You can't attach a resource policy that allows broad access to the secret: "+
					"name principals, or leave blockPublicPolicy out")
			}
			return c.verifyPrincipals("policy", "MalformedPolicyDocumentException", "This resource policy contains an unsupported principal")
		},
	},
)

// verifyNameNotRetained returns an error for a new secret if a deleted secret has the same name,
// and its recovery window has not ended. After the window, verifyNameNotRetained removes the
// deleted secret from the store.
func verifyNameNotRetained(c *Call) error {
	deleted, exists := c.retainedObject(deletedSecretType, c.In.String("name"))
	if c.Old != nil || !exists {
		return nil
	}
	deletionDate, err := time.Parse(time.RFC3339, Object(deleted.State).String("deletionDate"))
	if err != nil {
		return fmt.Errorf("deleted secret %s: %w", deleted.ID, err)
	}
	if c.Now().Before(deletionDate) {
		return refuse("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion. "+
			"(%s, until %s; recoveryWindowInDays 0 deletes at once)", deleted.ID, deletionDate.Format(time.DateOnly))
	}
	c.Tx.Delete(deleted.Key)
	return nil
}

// retainSecretName stores a deleted secret for verifyNameNotRetained. AWS reserves the
// secret's name until the recovery window ends.
func retainSecretName(c *Call) error {
	days := c.Old.Int("recoveryWindowInDays")
	if days == 0 {
		return nil
	}
	name := c.Old.String("name")
	c.retain(deletedSecretType, name, Object{"name": name, "arn": c.ID, "deletionDate": c.Now().UTC().AddDate(0, 0, days).Format(time.RFC3339)})
	return nil
}

// The stages that AWS moves from one version of a secret to another.
const (
	currentStage  = "AWSCURRENT"
	previousStage = "AWSPREVIOUS"
)

// addCurrentStage adds the stage AWSCURRENT to the first version of a secret, even if the
// program sets other stages (secretsmanager/latest/apireference/API_PutSecretValue.html).
func addCurrentStage(c *Call) {
	first := true
	c.Tx.Each(c.scope(c.Row), secretVersionType, func(o store.Object) bool {
		first = first && Object(o.State).String("arn") != c.Out.String("arn")
		return first
	})
	if stages := c.Out.Strings("versionStages"); first && !slices.Contains(stages, currentStage) {
		list, _ := c.Out["versionStages"].([]any)
		c.Out["versionStages"] = append(slices.Clone(list), currentStage)
	}
}

// moveStages removes the stages of the call's version from the other versions of the secret,
// because only one version can have a stage. The former current version becomes the previous
// version.
func moveStages(c *Call) error {
	newStages := c.Out.Strings("versionStages")
	becomesCurrent := slices.Contains(newStages, currentStage)
	c.Tx.Each(c.scope(c.Row), secretVersionType, func(o store.Object) bool {
		other, ok := c.Tx.Get(o.Key)
		if !ok || Object(other.State).String("arn") != c.Out.String("arn") {
			return true
		}
		stages := []any{}
		for _, stage := range Object(other.State).Strings("versionStages") {
			switch {
			case stage == previousStage && becomesCurrent:
				// The stage is removed here, because the former current version gets it.
			case stage == currentStage && becomesCurrent:
				stages = append(stages, previousStage)
			case !slices.Contains(newStages, stage):
				stages = append(stages, stage)
			}
		}
		other.State["versionStages"] = stages
		c.Tx.Put(other)
		return true
	})
	return nil
}
