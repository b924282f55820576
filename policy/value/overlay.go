package value

import "maps"

// Overlay returns a copy of inputs. In the copy, each input with an unknown part is replaced by
// the output of the same name, if that output is known.
func Overlay(inputs, outputs Node) Node {
	raw, ok := inputs.raw.(map[string]any)
	if !ok {
		return inputs
	}
	var out map[string]any // a copy of raw; nil until an input is replaced
	for name, v := range raw {
		if determined(v) {
			continue
		}
		output := outputs.Get(name)
		if output.state != known || !output.Known() {
			continue
		}
		if out == nil {
			out = maps.Clone(raw)
		}
		out[name] = output.raw
		if output.secret {
			out[name] = Secret{Value: output.raw}
		}
	}
	if out == nil {
		return inputs
	}
	return New(out)
}
