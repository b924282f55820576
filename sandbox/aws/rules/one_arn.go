package rules

import "github.com/progressive-framework/platform/sandbox/aws/store"

// oneARN refuses a new object whose ARN is that of another one, also of another
// type. RDS, DocumentDB and Neptune are one control plane with one namespace:
// their subnet groups, clusters, instances and snapshots have ARNs of rds
// (AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html). The error is the one of
// the type that is to be created. A type has an ARN of its own if its row has a
// template for it; a secret's version shows that of the secret.
func (c *Call) oneARN() error {
	own := c.Out.String("arn")
	if c.Row.Outputs["arn"] == "" || c.Row.Put {
		return nil
	}
	var taken error
	for _, token := range Tokens() {
		row := rows[token]
		if row.Put || row.Outputs["arn"] == "" || token == c.Row.Token {
			continue
		}
		c.Tx.Each(c.scope(row), token, func(o store.Object) bool {
			if o.State["arn"] == own {
				taken = refuse(c.takenCode(), "%s already exists: it is the %s %s; both types share one namespace", own, row.Label, o.ID)
			}
			return taken == nil
		})
		if taken != nil {
			return taken
		}
	}
	return nil
}

// takenCode is AWS's error code for a name of the type that exists.
func (c *Call) takenCode() string {
	switch {
	case c.Row.ExistsCode != "":
		return c.Row.ExistsCode
	case len(c.Row.Unique) > 0:
		return c.Row.Unique[0].Code
	default:
		return "AlreadyExists"
	}
}
