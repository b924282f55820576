package rules

import (
	"context"
	"fmt"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/layout"
)

// Account is the id of the stand-in's default account. AWS uses this id in examples.
const Account = "123456789012"

// Partition is the account's AWS partition.
const Partition = "aws"

// DefaultRegion is the region of objects that are created outside of every stack.
const DefaultRegion = "us-east-1"

// Cloud is the stand-in for one provider: one account in one region.
type Cloud struct {
	Layout      *layout.Layout
	Store       *store.Store
	Account     string
	Region      string
	Partition   string
	DefaultTags map[string]any
	// Role is the ARN of the role that the provider assumes. Without a role, the
	// provider uses the identity of its credentials.
	Role string
	// Client is the network address of the Pulumi program. It is zero if no program runs.
	Client ClientNetwork
	// Now is the clock; time.Now outside tests.
	Now func() time.Time
}

// Call is one operation on one object, inside a transaction of the store.
type Call struct {
	*Cloud
	Row *Row
	Tx  *store.Tx
	// Context cancels the requests that a rule sends, such as those to an image registry.
	Context context.Context
	// ID is the object's id.
	ID string
	// In has the inputs with defaults. Old is the old state; it is nil if the call creates
	// the object. Out is the new state, which the rules complete.
	In, Old, Out Object

	schema *schema.Resource
}

// operation is the verb for an operation in error messages.
type operation string

const (
	creating operation = "creating"
	updating operation = "updating"
	reading  operation = "reading"
	deleting operation = "deleting"
)

// newCall returns a Call for an object of a type. The caller sets its ID, In, Old and Out.
func (c *Cloud) newCall(ctx context.Context, tx *store.Tx, token string) (*Call, error) {
	s, row, err := schemaAndRow(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Row: row, Tx: tx, Context: ctx, schema: s}
	if err := call.verifyServiceReachable(token); err != nil {
		return nil, fmt.Errorf("%s: %w", row.Label, err)
	}
	return call, nil
}

// scope returns the account and the region of a type's objects.
func (c *Cloud) scope(row *Row) store.Scope {
	if row.Global {
		return store.Scope{Account: c.Account, Region: store.Global}
	}
	return store.Scope{Account: c.Account, Region: c.Region}
}

// key returns the object's key in the store.
func (c *Call) key() store.Key {
	return store.Key{Scope: c.scope(c.Row), Type: c.Row.Token, ID: c.ID}
}

// wrapError adds the provider's text to an error, such as "creating EC2 VPC".
func (c *Call) wrapError(op operation, err error) error {
	if err == nil {
		return nil
	}
	if c.ID == "" {
		return fmt.Errorf("%s %s: %w", op, c.Row.Label, err)
	}
	return fmt.Errorf("%s %s (%s): %w", op, c.Row.Label, c.ID, err)
}

// putOwned stores an object that is deleted together with this call's object.
func (c *Call) putOwned(token, id string, state Object) error {
	row, ok := rows[token]
	if !ok {
		return fmt.Errorf("type %s has no row in the table of rules", token)
	}
	c.Tx.Put(store.Object{
		Key:   store.Key{Scope: c.scope(row), Type: token, ID: id},
		Owner: c.ID, Created: c.Now().UTC(), State: state,
	})
	return nil
}
