package rules

import "github.com/progressive-framework/platform/sandbox/aws/store"

// verifyUniqueARN returns an error if an object of another type has the ARN of the new
// object. RDS, DocumentDB and Neptune have one control plane with one namespace: their
// subnet groups, clusters, instances and snapshots have ARNs of rds
// (AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html). The error code is that of the new
// object's type.
//
// It compares only types whose row has a template for the ARN. The property arn of
// other types may be the ARN of another object: a secret's version has the ARN of its
// secret.
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

// existsCode returns AWS's error code for a name that another object of the type has.
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
