package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

const (
	keyType   = "aws:kms/key:Key"
	aliasType = "aws:kms/alias:Alias"
)

// toKey is a reference to a key by id or ARN. toKeyARN is a reference by ARN only. They
// have no InUseCode, because AWS allows the deletion of a key in use.
var (
	toKey    = &Ref{To: []string{keyType}, By: []string{"id", "arn"}, Noun: "key", Missing: "NotFoundException"}
	toKeyARN = &Ref{To: []string{keyType}, By: []string{"arn"}, Noun: "KMS key", Missing: "InvalidParameterException"}
)

// maxAliases is the quota of aliases for each key
// (kms/latest/developerguide/resource-limits.html).
const maxAliases = 50

var _ = registerRows(
	&Row{
		Token:  keyType,
		Source: "kms/key.go", Page: "kms/latest/APIReference/API_CreateKey.html",
		Label: "KMS Key", NotFound: "NotFoundException",
		NewID: func(c *Call) (string, error) {
			if c.In.Bool("multiRegion") {
				return c.expand("mrk-{hex32}")
			}
			return c.expand("{uuid}")
		},
		Props: Props{
			"description":                    {Computed: true},
			"keyUsage":                       {Replace: true, Default: "ENCRYPT_DECRYPT", Enum: []string{"ENCRYPT_DECRYPT", signVerify}},
			"customerMasterKeySpec":          {Replace: true, Default: "SYMMETRIC_DEFAULT", Enum: []string{"SYMMETRIC_DEFAULT", "ECC_NIST_P256"}},
			"policy":                         {Computed: true, JSON: true, Valid: policyDocument(resourcePolicy, 32768)},
			"bypassPolicyLockoutSafetyCheck": {Default: false},
			"deletionWindowInDays":           {Valid: numbers(7, 30)},
			"isEnabled":                      {Default: true},
			"enableKeyRotation":              {Default: false},
			"rotationPeriodInDays":           {Computed: true, Valid: numbers(90, 2560)},
			"multiRegion":                    {Replace: true, Computed: true},
			"customKeyStoreId":               {Replace: true, Refuse: unsupportedReference},
			"xksKeyId":                       {Replace: true, Refuse: unsupportedReference},
		},
		Requires: map[string][]string{"rotationPeriodInDays": {"enableKeyRotation"}},
		Outputs:  map[string]string{"keyId": "{id}", "arn": "arn:{partition}:kms:{region}:{account}:key/{id}"},
		Verify:   verifyKey,
		Fill:     fillKey,
	},
	&Row{
		Token:  aliasType,
		Source: "kms/alias.go", Page: "kms/latest/APIReference/API_CreateAlias.html",
		Label: "KMS Alias", ID: "{name}", NotFound: "NotFoundException",
		ExistsCode: "AlreadyExistsException", ExistsText: "An alias with the name arn:{partition}:kms:{region}:{account}:{name} already exists",
		Naming: &Naming{Prop: "name", PrefixProp: "namePrefix", Max: 238, FixedPrefix: "alias/"},
		Props: Props{
			"name":        {Replace: true, Computed: true, Valid: all(length(7, 256), aliasName, withoutPrefix("alias/aws/"))},
			"namePrefix":  {Replace: true, Computed: true, Valid: all(length(7, 230), aliasName, withoutPrefix("alias/aws/"))},
			"targetKeyId": {Ref: toKey, Same: func(a, b string) bool { return strings.HasSuffix(a, "/"+b) || strings.HasSuffix(b, "/"+a) }},
		},
		AtMostOne: [][]string{{"name", "namePrefix"}},
		Outputs:   map[string]string{"arn": "arn:{partition}:kms:{region}:{account}:{name}"},
		Verify:    verifyAliasQuota,
		Fill: func(c *Call) error {
			key, _ := c.referencedObject("targetKeyId")
			c.Out["targetKeyArn"] = key.State["arn"]
			return nil
		},
	},
)

var aliasName = pattern(`alias/[a-zA-Z0-9/_-]+`, "alias/ and letters, digits, / _ and -")

// signVerify is the keyUsage of a key that signs and does not encrypt.
const signVerify = "SIGN_VERIFY"

// verifyKeyUsage returns an error for a key spec that does not allow the keyUsage
// (kms/latest/APIReference/API_CreateKey.html, KeyUsage). It also returns an error for
// the rotation of a key that signs (API_EnableKeyRotation.html).
func verifyKeyUsage(c *Call) error {
	signs, symmetric := c.In.String("keyUsage") == signVerify, c.In.String("customerMasterKeySpec") != "ECC_NIST_P256"
	// A symmetric key can only encrypt. A key of an elliptic curve (ECC) can only sign.
	compatible := signs != symmetric
	switch {
	case !compatible:
		return refuse("ValidationException", "The operation failed because the KeyUsage value of the KMS key is not compatible with its KeySpec")
	case signs && c.In.Bool("enableKeyRotation"):
		return refuse("UnsupportedOperationException", "automatic rotation is for symmetric encryption keys only")
	}
	return nil
}

// policyChangeActions are the actions that allow a principal to change a key's policy.
var policyChangeActions = []any{"kms:*", "*", "kms:PutKeyPolicy", "kms:Put*"}

// verifyKey returns an error for a keyUsage that the key spec does not allow, and for an
// invalid policy. Unless bypassPolicyLockoutSafetyCheck is set, a policy must allow the
// account to change the policy later.
func verifyKey(c *Call) error {
	if err := verifyKeyUsage(c); err != nil {
		return err
	}
	if !c.In.Has("policy") {
		return nil
	}
	if err := c.verifyPrincipals("policy", "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals"); err != nil {
		return err
	}
	if c.In.Bool("bypassPolicyLockoutSafetyCheck") {
		return nil
	}
	rootARN := fmt.Sprintf("arn:%s:iam::%s:root", c.Partition, c.Account)
	var doc struct{ Statement any }
	if err := json.Unmarshal([]byte(c.In.String("policy")), &doc); err != nil {
		return refuse("MalformedPolicyDocumentException", "%v", err)
	}
	accountPrincipals := []any{rootARN, c.Account, "*"}
	for _, s := range asList(doc.Statement) {
		statement, _ := s.(map[string]any)
		principal, _ := statement["Principal"].(map[string]any)
		principals := append(asList(principal["AWS"]), asList(statement["Principal"])...)
		allowsAccount := slices.ContainsFunc(principals, func(p any) bool { return isOneOf(p, accountPrincipals) })
		allowsChange := slices.ContainsFunc(asList(statement["Action"]), func(action any) bool { return isOneOf(action, policyChangeActions) })
		if statement["Effect"] == "Allow" && allowsAccount && allowsChange {
			return nil
		}
	}
	return refuse("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future: "+
		"allow %s the action kms:*", rootARN)
}

// isOneOf reports whether a JSON value is one of the strings in allowed.
func isOneOf(v any, allowed []any) bool {
	text, ok := v.(string)
	return ok && slices.Contains(allowed, any(text))
}

// fillKey sets the values that AWS chooses for a key if the program sets none. Without
// enableKeyRotation, it removes the rotation period.
func fillKey(c *Call) error {
	c.Out.setDefaults(map[string]any{
		"policy": fmt.Sprintf(`{"Id":"key-default-1","Statement":[{"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:%s:iam::%s:root"},`+
			`"Resource":"*","Sid":"Enable IAM User Permissions"}],"Version":"2012-10-17"}`, c.Partition, c.Account),
		"description": "", "multiRegion": false,
	})
	switch {
	case !c.In.Bool("enableKeyRotation"):
		delete(c.Out, "rotationPeriodInDays")
	case !c.Out.Has("rotationPeriodInDays"):
		c.Out["rotationPeriodInDays"] = 365.0 // API_EnableKeyRotation.html
	}
	return nil
}

// verifyAliasQuota returns an error if the key would have more than maxAliases aliases.
func verifyAliasQuota(c *Call) error {
	key, _ := c.referencedObject("targetKeyId")
	otherAliases := 0
	c.Tx.Each(c.scope(c.Row), aliasType, func(o store.Object) bool {
		if o.ID != c.ID && Object(o.State).String("targetKeyArn") == Object(key.State).String("arn") {
			otherAliases++
		}
		return true
	})
	if otherAliases >= maxAliases {
		return refuse("LimitExceededException", "Cannot create more than %d aliases for key %s", maxAliases, key.ID)
	}
	return nil
}
