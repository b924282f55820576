package envconfig

// Required reads a variable that has no default. The rule says what it must
// be, such as "must be an IP address"; where it is absent or wrong the zero
// value is returned.
func Required[T any](r *Reader, name, rule string, parse func(string) (T, bool)) T {
	text, _ := r.lookup(name)
	value, ok := parse(text)
	if !ok {
		var zero T
		r.problems = append(r.problems, &Problem{Variable: name, Value: text, Rule: rule, Mend: "set it so"})
		return zero
	}
	return value
}
