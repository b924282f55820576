package rules

import (
	"context"
	"errors"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Delete removes an object and what it owns. An object that is gone already
// is no error.
func (c *Cloud) Delete(ctx context.Context, token, id string) error {
	return c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.call(ctx, tx, token)
		if err != nil {
			return err
		}
		call.ID = id
		object, ok := tx.Get(call.key())
		if !ok {
			return nil
		}
		call.Old, call.In, call.Out = object.State, object.State, object.State
		if call.Row.Remove != nil {
			err := call.Row.Remove(call)
			if errors.Is(err, errKept) {
				return nil
			}
			if err != nil {
				return call.fail(deleting, err)
			}
		}
		if err := call.held(); err != nil {
			return call.fail(deleting, err)
		}
		call.drop(call.key())
		return nil
	})
}

// errKept says that a deletion leaves the object where it is, as the provider
// was asked to.
var errKept = errors.New("kept")

// drop removes an object, everything that it owns, and everything that AWS
// removes together with it.
func (c *Call) drop(key store.Key) {
	object, ok := c.Tx.Get(key)
	if !ok {
		return
	}
	c.Tx.Delete(key)
	c.Tx.Owned(key.Scope, key.ID, func(o store.Object) { c.drop(o.Key) })
	for _, h := range holdersOf(key.Type) {
		if !h.ref.Dies {
			continue
		}
		for _, scope := range c.scopesOf(h.row) {
			c.Tx.Each(scope, h.row.Token, func(o store.Object) bool {
				if h.names(o, object) != "" {
					c.drop(o.Key)
				}
				return true
			})
		}
	}
}
