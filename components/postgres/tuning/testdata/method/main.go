// Command method asks for a static parameter at once.
package main

import "github.com/progressive-framework/platform/components/postgres/tuning"

func main() {
	var m tuning.Model
	m.RDS()[0].ApplyMethod = "immediate"
}
