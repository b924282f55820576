package value

// Overlay returns a copy of inputs. Each unknown input in it is replaced by the output of the
// same name, if that output is known.
func Overlay(inputs, outputs Node) Node {
	raw, ok := inputs.raw.(map[string]any)
	if !ok {
		return inputs
	}
	out := make(map[string]any, len(raw))
	for name, v := range raw {
		out[name] = v
		if !determined(v) {
			if output := outputs.Get(name); output.state == known && output.Known() {
				out[name] = output.raw
				if output.secret {
					out[name] = Secret{Value: output.raw}
				}
			}
		}
	}
	return New(out)
}
