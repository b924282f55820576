package value

// Overlay returns the inputs, with each unknown input replaced by the output of
// the same name, if that is known.
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
