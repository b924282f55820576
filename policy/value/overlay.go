package value

// Overlay returns inputs with each unknown value replaced by that of the same
// path in outputs, where it is known there.
func Overlay(inputs, outputs Node) Node {
	raw, ok := inputs.raw.(map[string]any)
	if !ok {
		return inputs
	}
	out := make(map[string]any, len(raw))
	for name, v := range raw {
		out[name] = v
		if !determined(v) {
			if answer := outputs.Get(name); answer.state == known && answer.Known() {
				out[name] = answer.raw
				if answer.secret {
					out[name] = Secret{Value: answer.raw}
				}
			}
		}
	}
	return New(out)
}
