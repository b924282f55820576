package rules

import (
	"context"
	"errors"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Delete removes an object and the objects that it owns. The deletion of an object that
// does not exist is not an error.
func (c *Cloud) Delete(ctx context.Context, token, id string) (err error) {
	defer recoverPanic(token, &err)
	return c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.newCall(ctx, tx, token)
		if err != nil {
			return err
		}
		call.ID = id
		object, ok := tx.Get(call.key())
		if !ok {
			return nil
		}
		call.Old, call.In, call.Out = object.State, object.State, object.State
		if call.Row.BeforeDelete != nil {
			err := call.Row.BeforeDelete(call)
			if errors.Is(err, errKept) {
				return nil
			}
			if err != nil {
				return call.wrapError(deleting, err)
			}
		}
		if err := call.verifyNotReferenced(); err != nil {
			return call.wrapError(deleting, err)
		}
		call.deleteCascade(call.key())
		return nil
	})
}

// A row's BeforeDelete returns errKept if Delete must keep the object. A property of the program,
// such as skipDestroy, requests this.
var errKept = errors.New("kept")

// deleteCascade removes an object, the objects that it owns, and the objects that AWS deletes
// together with it.
func (c *Call) deleteCascade(key store.Key) {
	object, ok := c.Tx.Get(key)
	if !ok {
		return
	}
	c.Tx.Delete(key)
	c.Tx.EachOwned(key.Scope, key.ID, func(o store.Object) { c.deleteCascade(o.Key) })
	for _, r := range referencesTo(key.Type) {
		if !r.ref.DeletedWith {
			continue
		}
		for _, scope := range c.referrerScopes(r.row) {
			c.Tx.Each(scope, r.row.Token, func(o store.Object) bool {
				if r.pathTo(o, object) != "" {
					c.deleteCascade(o.Key)
				}
				return true
			})
		}
	}
}
