package rules

import "github.com/progressive-framework/platform/sandbox/aws/store"

// verifyUniqueARN returns an error if an object of another type has the ARN of the new
// object. Two types can have the same ARN because RDS, DocumentDB and Neptune share one
// namespace of ARNs (AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html). The error has the code
// of the new object's type.
//
// verifyUniqueARN compares only types with a template for the output arn. In other types, the
// output arn can be the ARN of another object. For example, the version of a secret has the ARN
// of the secret.
func (c *Call) verifyUniqueARN() error {
	newARN := c.Out.String("arn")
	if c.Row.Outputs["arn"] == "" || c.Row.Put {
		return nil
	}
	var conflict error
	for _, token := range Tokens() {
		row := rows[token]
		if row.Put || row.Outputs["arn"] == "" || token == c.Row.Token {
			continue
		}
		c.Tx.Each(c.scope(row), token, func(o store.Object) bool {
			if o.State["arn"] == newARN {
				conflict = refuse(c.existsCode(), "%s already exists: it is the %s %s; both types share one namespace", newARN, row.Label, o.ID)
			}
			return conflict == nil
		})
		if conflict != nil {
			return conflict
		}
	}
	return nil
}

// existsCode returns AWS's error code for an object of the type that exists already.
func (c *Call) existsCode() string {
	switch {
	case c.Row.ExistsCode != "":
		return c.Row.ExistsCode
	case len(c.Row.Unique) > 0:
		return c.Row.Unique[0].Code
	default:
		return "AlreadyExists"
	}
}
