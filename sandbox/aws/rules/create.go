package rules

import (
	"context"
	"maps"
	"slices"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Create creates an object from checked inputs and returns its id and state.
func (c *Cloud) Create(ctx context.Context, token string, in Object) (id string, state Object, err error) {
	defer recoverPanic(token, &err)
	err = c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.newCall(ctx, tx, token)
		if err != nil {
			return err
		}
		if err := call.create(in); err != nil {
			return call.wrapError(creating, err)
		}
		id, state = call.ID, call.Out
		return nil
	})
	return id, state, err
}

// create creates the object of the call from checked inputs and sets ID and Out.
func (c *Call) create(in Object) error {
	c.In = c.inputsWithDefaults(in)
	if c.Row.Naming != nil {
		if err := c.Row.Naming.setPrefixedName(c.In, c.Now()); err != nil {
			return err
		}
	}
	c.Out = Object(wire.CloneMap(c.In))
	if err := c.verifyReferences(); err != nil {
		return err
	}
	if err := c.verifyUnique(); err != nil {
		return err
	}
	if c.Row.Verify != nil {
		if err := c.Row.Verify(c); err != nil {
			return err
		}
	}
	id, err := c.newID()
	if err != nil {
		return err
	}
	c.ID = id
	if _, exists := c.Tx.Get(c.key()); exists && !c.Row.Put {
		return c.alreadyExistsError()
	}
	if err := c.fill(); err != nil {
		return err
	}
	if err := c.verifyUniqueARN(); err != nil {
		return err
	}
	return c.save(store.Object{Key: c.key(), Created: c.Now().UTC()})
}

// save stores the object with the state Out. Then the row's Refresh adds values of other
// objects to Out. Those values are not stored, because they change with the other
// objects.
func (c *Call) save(object store.Object) error {
	object.State = wire.CloneMap(c.Out)
	c.Tx.Put(object)
	if c.Row.Refresh != nil {
		return c.Row.Refresh(c)
	}
	return nil
}

// newID returns the id of a new object: the result of the row's NewID, or the expanded
// template in the row's ID.
func (c *Call) newID() (string, error) {
	if c.Row.NewID != nil {
		return c.Row.NewID(c)
	}
	return c.expand(c.Row.ID)
}

// alreadyExistsError returns the error of AWS's service for a new object that has the id of
// an existing object.
func (c *Call) alreadyExistsError() error {
	if c.Row.ExistsCode == "" {
		return refuse("AlreadyExists", "%s %s already exists", c.Row.Label, c.ID)
	}
	text, err := c.expand(c.Row.ExistsText)
	if err != nil {
		return err
	}
	return refuse(c.Row.ExistsCode, "%s", text)
}

// inputsWithDefaults returns the inputs with the defaults of omitted properties. It leaves out
// the property defaultsKey, because the provider does not send it to AWS.
func (c *Call) inputsWithDefaults(in Object) Object {
	out := withDefaults(c.schema, c.Row, c.schema.Inputs, in, "")
	delete(out, defaultsKey)
	return out
}

// fill sets the outputs of the row's templates in Out, and then runs the row's Fill.
func (c *Call) fill() error {
	for _, name := range slices.Sorted(maps.Keys(c.Row.Outputs)) {
		value, err := c.expand(c.Row.Outputs[name])
		if err != nil {
			return err
		}
		c.Out[name] = value
	}
	if c.Row.Fill != nil {
		return c.Row.Fill(c)
	}
	return nil
}
