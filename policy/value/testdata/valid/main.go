// Command valid combines results, and asks whether one is known.
package main

import "github.com/progressive-framework/platform/policy/value"

func main() {
	set := value.New("x").IsSet()
	if answer, known := value.Not(set).Known(); known && answer {
		println("not set")
	}
}
