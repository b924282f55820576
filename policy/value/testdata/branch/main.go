// Command branch uses a result as a bool.
package main

import "github.com/progressive-framework/platform/policy/value"

func main() {
	set := value.New("x").IsSet()
	if set {
		println("set")
	}
}
