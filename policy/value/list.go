package value

// List is a list. Its elements have the view T.
type List[T View] struct{ Node }

// Map is a map from names to values that have the view T.
type Map[T View] struct{ Node }

// Items returns the elements that are known to exist. complete is false if the list may have
// further elements.
func (l List[T]) Items() (items []T, complete bool) {
	list, _ := l.raw.([]any)
	for _, raw := range list {
		items = append(items, As[T](l.child(raw)))
	}
	return items, l.state != unknown
}

// All returns whether test is true for every element. For an empty list it returns True. If the list
// may have further elements, it returns False if test is False for a known element, and otherwise
// Unknown.
func (l List[T]) All(test func(T) Truth) Truth {
	items, complete := l.Items()
	result := True
	for _, item := range items {
		result = All(result, test(item))
	}
	if !complete {
		return All(result, Unknown)
	}
	return result
}

// Any returns whether test is true for one element or more. For an empty list it returns False. If
// the list may have further elements, it returns True if test is True for a known element, and
// otherwise Unknown.
func (l List[T]) Any(test func(T) Truth) Truth {
	return Not(l.All(func(item T) Truth { return Not(test(item)) }))
}

// Len returns the number of elements. For an unknown list the number is unknown, and for an absent
// list it is 0.
func (l List[T]) Len() Number {
	if l.state == unknown {
		return Number(l)
	}
	items, _ := l.Items()
	return Number{New(float64(len(items)))}
}

// First returns the first element. For an empty list it returns an absent value, and for an unknown
// list an unknown value.
func (l List[T]) First() T {
	if items, _ := l.Items(); len(items) > 0 {
		return items[0]
	}
	if l.state == unknown {
		return As[T](l.Node)
	}
	return As[T](Node{})
}

// HasText reports whether the list has the text want.
func HasText(l List[String], want string) Truth {
	return l.Any(func(s String) Truth { return s.Is(want) })
}

// Entry returns the value of the entry called name.
func (m Map[T]) Entry(name string) T { return As[T](m.Get(name)) }

// Value is an element of any type in a List or a Map.
type Value struct{ Node }
