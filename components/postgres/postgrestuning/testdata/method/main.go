// Command method sets a wrong apply method for a static parameter.
package main

import "github.com/progressive-framework/platform/components/postgres/postgrestuning"

func main() {
	var m postgrestuning.Model
	m.RDS()[0].ApplyMethod = "immediate"
}
