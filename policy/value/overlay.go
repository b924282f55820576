package value

import "maps"

// Overlay returns a copy of inputs. In the copy, each input with an unknown part is replaced by
// the output of the same name, if that output is known.
func Overlay(inputs, outputs Node) Node {
	raw, ok := inputs.raw.(map[string]any)
	if !ok {
		return inputs
	}
	var replaced map[string]any // a copy of raw; nil until an input is replaced
	for name, v := range raw {
		if isDetermined(v) {
			continue
		}
		output := outputs.Get(name)
		if output.state != known || !output.Known() {
			continue
		}
		if replaced == nil {
			replaced = maps.Clone(raw)
		}
		replaced[name] = output.raw
		if output.secret {
			replaced[name] = Secret{Value: output.raw}
		}
	}
	if replaced == nil {
		return inputs
	}
	return New(replaced)
}
