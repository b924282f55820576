// Command choice chooses a case by a result.
package main

import "github.com/progressive-framework/platform/policy/value"

func main() {
	set := value.New("x").IsSet()
	switch set {
	case value.False:
		println("not set")
	}
}
