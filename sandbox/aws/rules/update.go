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
	err = c.Store.Update(ctx, func(tx *store.Tx) error {
		call, err := c.call(ctx, tx, token)
		if err != nil {
			return err
		}
		call.ID = id
		if err := call.update(in, ignore); err != nil {
			return call.fail(updating, err)
		}
		state = call.Out
		return nil
	})
	return state, err
}

func (c *Call) update(in Object, ignore []string) error {
	object, ok := c.Tx.Get(c.key())
	if !ok {
		return refuse(c.Row.NotFound, "%s %s does not exist", c.Row.Label, c.ID)
	}
	c.Old = object.State
	c.In = c.complete(keepIgnored(in, c.Old, ignore))
	c.Out = c.merged()
	if err := c.references(); err != nil {
		return err
	}
	if err := c.unique(); err != nil {
		return err
	}
	if c.Row.Verify != nil {
		if err := c.Row.Verify(c); err != nil {
			return err
		}
	}
	if err := c.fill(); err != nil {
		return err
	}
	return c.keep(object)
}

// keepIgnored sets ignored properties to the value of the state. The engine sends
// the last value that it knows, but the provider does not change them.
func keepIgnored(in, state Object, ignore []string) Object {
	out := Object(wire.CloneMap(in))
	for _, path := range ignore {
		name, rest, nested := strings.Cut(path, ".")
		if strings.Contains(name, "[") {
			continue // the engine has already set the old list
		}
		have, ok := state[name]
		if !ok {
			continue
		}
		if !nested {
			out[name] = wire.Clone(have)
			continue
		}
		w, wok := out[name].(map[string]any)
		h, hok := have.(map[string]any)
		if wok && hok {
			out[name] = map[string]any(keepIgnored(w, h, []string{rest}))
		}
	}
	return out
}

// merged returns the state after an update: computed values are kept, inputs are
// replaced.
func (c *Call) merged() Object {
	out := Object{}
	for name, v := range c.Old {
		if _, input := c.schema.Inputs[name]; !input || c.Row.Props[name].Computed {
			out[name] = wire.Clone(v)
		}
	}
	for name, v := range c.In {
		out[name] = c.mergeNested(c.schema.Inputs[name], v, c.Old[name], name)
	}
	return out
}

// mergeNested copies computed values of the old object that the program does not give.
func (c *Call) mergeNested(typ string, v, old any, path string) any {
	m, ok := v.(map[string]any)
	o, had := old.(map[string]any)
	if !ok || !had || !strings.HasPrefix(typ, "@") {
		return wire.Clone(v)
	}
	out := wire.CloneMap(m)
	for name, item := range o {
		if _, given := out[name]; given {
			continue
		}
		if p, ruled := c.Row.Props[dotted(path, name)]; !ruled || p.Computed {
			out[name] = wire.Clone(item)
		}
	}
	return out
}
