// Command method asks for a static parameter at once.
package main

import "github.com/progressive-framework/platform/components/postgres/postgrestuning"

func main() {
	var m postgrestuning.Model
	m.RDS()[0].ApplyMethod = "immediate"
}
