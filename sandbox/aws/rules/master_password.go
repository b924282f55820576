package rules

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// masterPassword has the rules of the administrator's password of a database type. The
// program sets the password, or AWS creates and rotates a secret with the password.
type masterPassword struct {
	property    string // the property with the password
	keyProperty string // the property with the key that encrypts the secret
	prefix      string // the start of the secret's name
}

// passwordCharacters validates the characters of a password: printable ASCII without / @ "
// and spaces (AmazonRDS/latest/APIReference/API_CreateDBInstance.html).
var passwordCharacters = pattern(`[\x21\x23-\x2e\x30-\x3f\x41-\x7e]+`, `printable ASCII characters other than /, @, " and spaces`)

// hideValue returns a validator with the rules of valid. The returned validator removes the
// checked value from the reasons, because the value is a password.
func hideValue(valid func(any) string) func(any) string {
	return func(v any) string {
		s, _ := v.(string)
		return strings.ReplaceAll(valid(v), fmt.Sprintf("%q", s), "the value")
	}
}

// check reports a failure unless the program either gives a password or sets
// manageMasterUserPassword to true.
func (m masterPassword) check(in Object, fail Fail) {
	hasManaged := in.Has("manageMasterUserPassword")
	switch {
	case hasManaged && in.Has(m.property):
		fail(m.property, "manageMasterUserPassword and %s can't be given together", m.property)
	case !hasManaged && !in.Has(m.property):
		fail(m.property, "must be given, unless manageMasterUserPassword is true: then AWS generates and stores the password")
	case hasManaged && in.Known("manageMasterUserPassword") && !in.Bool("manageMasterUserPassword"):
		fail("manageMasterUserPassword", "is false, and there is no %s", m.property)
	}
}

// fillSecret creates the secret of a managed password. If the password is no longer managed,
// fillSecret deletes the secret. The database owns the secret, so both are deleted together.
func (m masterPassword) fillSecret(c *Call) error {
	if !c.In.Bool("manageMasterUserPassword") {
		c.Tx.EachOwned(c.scope(c.Row), c.ID, func(o store.Object) {
			if o.Type == secretType {
				c.deleteCascade(o.Key)
			}
		})
		c.Out["masterUserSecrets"] = []any{}
		return nil
	}
	if len(c.Old.Objects("masterUserSecrets")) > 0 {
		return nil
	}
	name, err := c.expand(m.prefix + "{uuid}")
	if err != nil {
		return err
	}
	secretARN, err := c.expand("arn:{partition}:secretsmanager:{region}:{account}:secret:" + name + "-{id6}")
	if err != nil {
		return err
	}
	key := c.In.String(m.keyProperty)
	if key == "" {
		key = c.awsKeyARN("secretsmanager")
	}
	c.Out["masterUserSecrets"] = []any{map[string]any{"kmsKeyId": key, "secretArn": secretARN, "secretStatus": "active"}}
	return c.putOwned(secretType, secretARN, Object{"name": name, "arn": secretARN, "kmsKeyId": key, "recoveryWindowInDays": 0.0, "tagsAll": map[string]any{}})
}

// regionalHash returns n characters that depend only on the service, the account and the
// region. The host names of databases contain these characters. So the host names of all
// databases of a service in one region have the same characters there.
func (c *Cloud) regionalHash(service string, n int) string {
	sum := sha256.Sum256([]byte(service + c.Account + c.Region))
	return "c" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:n-1])
}

// databaseZoneID returns the id of the hosted zone with the host names of the region's
// databases. For us-east-1, it returns the real id, which public programs contain. For every
// other region, it returns a generated id that never changes.
func (c *Cloud) databaseZoneID() string {
	if c.Region == "us-east-1" {
		return "Z2R2ITUGPM61AM"
	}
	return "Z" + strings.ToUpper(c.regionalHash("zone", 13))
}

// reservedNames are reserved words of PostgreSQL and of RDS. The sources are the function
// pg_get_keywords of PostgreSQL 15.20 (words with the catcode R or T) and
// API_CreateDBInstance.html.
var reservedNames = strings.Fields(`admin rdsadmin rdsrepladmin rds_superuser
	all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently
	constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default
	deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in initially inner
	intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order
	outer overlaps placing primary references returning right select session_user similar some symmetric table tablesample then to trailing
	true union unique user using variadic verbose when where window with`)

// checkNotReserved returns a message for a reserved word, and for a name that begins with pg_.
func checkNotReserved(v any) string {
	s, _ := v.(string)
	if slices.Contains(reservedNames, strings.ToLower(s)) || strings.HasPrefix(strings.ToLower(s), "pg_") {
		return fmt.Sprintf("%q cannot be used as it is a reserved word used by the engine", s)
	}
	return ""
}
