package envconfig

// ReadRequired reads a variable that has no default. The rule is a text such as
// "must be an IP address". If the variable is absent or invalid, the result is
// the zero value.
func ReadRequired[T any](r *Reader, name, rule string, parse func(string) (T, bool)) T {
	text, _ := r.lookup(name)
	value, ok := parse(text)
	if !ok {
		var zero T
		r.problems = append(r.problems, &Problem{Variable: name, Value: text, Rule: rule, Fix: "set such a value"})
		return zero
	}
	return value
}
