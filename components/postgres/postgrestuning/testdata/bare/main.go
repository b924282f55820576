// Command bare sets memory to a number without a unit.
package main

import "github.com/progressive-framework/platform/components/postgres/postgrestuning"

func main() {
	_, _ = postgrestuning.New(postgrestuning.Inputs{Memory: 32 << 30, Cores: 16, Connections: 200})
}
