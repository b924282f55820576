package rules

import (
	"context"

	"github.com/progressive-framework/platform/sandbox/aws/store"
)

// Read returns the state of an object; ok is false if it does not exist.
func (c *Cloud) Read(ctx context.Context, token, id string) (state Object, ok bool, err error) {
	defer recoverPanic(token, &err)
	err = c.Store.View(ctx, func(tx *store.Tx) error {
		call, err := c.newCall(ctx, tx, token)
		if err != nil {
			return err
		}
		call.ID = id
		object, found := tx.Get(call.key())
		if !found {
			return nil
		}
		object = call.applyPendingChange(object)
		call.Old, call.In, call.Out = object.State, object.State, object.State
		if call.Row.Refresh != nil {
			if err := call.Row.Refresh(call); err != nil {
				return call.wrapError(reading, err)
			}
		}
		state, ok = call.Out, true
		return nil
	})
	return state, ok, err
}
