package rules

import (
	"context"
	"strings"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// Update sets the inputs of an object to checked inputs and returns the new state. The
// properties at the paths in ignore keep their values.
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

// update sets the inputs of the call's object to checked inputs, and sets Out to the new
// state. The properties at the paths in ignore keep their values.
func (c *Call) update(in Object, ignore []string) error {
	object, ok := c.Tx.Get(c.key())
	if !ok {
		return refuse(c.Row.NotFound, "%s %s does not exist", c.Row.Label, c.ID)
	}
	object = c.applyPendingChange(object)
	c.Old = object.State
	c.In = c.inputsWithDefaults(keepIgnored(in, c.Old, ignore))
	c.Out = c.mergeState()
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

// keepIgnored returns the inputs with the current values of ignored properties. The engine
// sends an ignored property with the value of the last refresh, which may be out of date.
func keepIgnored(in, state Object, ignore []string) Object {
	out := Object(wire.CloneMap(in))
	for _, path := range ignore {
		name, subpath, nested := strings.Cut(path, ".")
		if strings.Contains(name, "[") {
			continue // the engine has already set the old list
		}
		current, ok := state[name]
		if !ok {
			continue
		}
		if !nested {
			out[name] = wire.Clone(current)
			continue
		}
		inputMap, inputOK := out[name].(map[string]any)
		currentMap, currentOK := current.(map[string]any)
		if inputOK && currentOK {
			out[name] = map[string]any(keepIgnored(inputMap, currentMap, []string{subpath}))
		}
	}
	return out
}

// mergeState returns the new state of an update before Fill: the new inputs, and the computed
// values of the old state.
func (c *Call) mergeState() Object {
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

// mergeNested returns the new value of a property. v is the value in the inputs, old is the
// value in the old state. If both are objects, the result keeps each old computed value that
// the program does not set. typ is the property's type in the schema, and path is its path in
// the rules.
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
		if p, hasRule := c.Row.Props[joinPath(path, name)]; !hasRule || p.Computed {
			out[name] = wire.Clone(item)
		}
	}
	return out
}
