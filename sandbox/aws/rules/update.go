package rules

import (
	"context"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Update changes an object to checked inputs and returns its state. The property
// paths in ignore keep their value.
func (c *Cloud) Update(ctx context.Context, token, id string, in Object, ignore []string) (state Object, err error) {
	defer recoverPanic(token, &err)
	err = c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.newCall(ctx, tx, token)
		if err != nil {
			return err
		}
		call.ID = id
		if err := call.update(in, ignore); err != nil {
			return call.wrapError(updating, err)
		}
		state = call.Out
		return nil
	})
	return state, err
}

// update changes the object of the call to checked inputs and sets Out.
func (c *Call) update(in Object, ignore []string) error {
	object, ok := c.Tx.Get(c.key())
	if !ok {
		return refuse(c.Row.NotFound, "%s %s does not exist", c.Row.Label, c.ID)
	}
	object = c.current(object)
	c.Old = object.State
	c.In = c.complete(keepIgnored(in, c.Old, ignore))
	c.Out = c.merged()
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
	c.deferChanges()
	if err := c.fill(); err != nil {
		return err
	}
	return c.save(object)
}

// keepIgnored returns the inputs with the present values of ignored properties. It is
// needed because the engine sends the last value that it knows of such a property.
func keepIgnored(in, state Object, ignore []string) Object {
	out := Object(wire.CloneMap(in))
	for _, path := range ignore {
		name, rest, nested := strings.Cut(path, ".")
		if strings.Contains(name, "[") {
			continue // the engine has already set the old list
		}
		present, ok := state[name]
		if !ok {
			continue
		}
		if !nested {
			out[name] = wire.Clone(present)
			continue
		}
		inputMap, inputOK := out[name].(map[string]any)
		presentMap, presentOK := present.(map[string]any)
		if inputOK && presentOK {
			out[name] = map[string]any(keepIgnored(inputMap, presentMap, []string{rest}))
		}
	}
	return out
}

// merged returns the new state of an update before Fill: the new inputs, and the computed
// values of the old state.
func (c *Call) merged() Object {
	out := Object{}
	for name, v := range c.Old {
		if _, isInput := c.schema.Inputs[name]; !isInput || c.Row.Props[name].Computed {
			out[name] = wire.Clone(v)
		}
	}
	for name, v := range c.In {
		out[name] = c.mergeNested(c.schema.Inputs[name], v, c.Old[name], name)
	}
	return out
}

// mergeNested returns the new value of a property: v with computed values of the old value.
// Inside an object it keeps a computed value if the program does not set it. typ is the
// property's type in the schema, and path is its path in the rules.
func (c *Call) mergeNested(typ string, v, old any, path string) any {
	newMap, newOK := v.(map[string]any)
	oldMap, oldOK := old.(map[string]any)
	if !newOK || !oldOK || !strings.HasPrefix(typ, "@") {
		return wire.Clone(v)
	}
	out := wire.CloneMap(newMap)
	for name, item := range oldMap {
		if _, given := out[name]; given {
			continue
		}
		if p, hasRule := c.Row.Props[dotted(path, name)]; !hasRule || p.Computed {
			out[name] = wire.Clone(item)
		}
	}
	return out
}
