// Command equals compares a result with True.
package main

import "github.com/progressive-framework/platform/policy/value"

func main() {
	set := value.New("x").IsSet()
	if set == value.True {
		println("set")
	}
}
