// Command valid compiles. Each of the other programs in testdata has one error.
package main

import (
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/size"
)

func main() {
	m, err := postgrestuning.New(postgrestuning.Inputs{Memory: size.GiB(32), Cores: 16, Connections: 200, WorkMem: size.MiB(256)})
	if err == nil {
		println(m.RDS()[0].ApplyMethod())
	}
}
