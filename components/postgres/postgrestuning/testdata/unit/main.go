// Command unit writes an RDS parameter in a unit that RDS does not accept.
package main

import "github.com/progressive-framework/platform/components/postgres/postgrestuning"

func main() {
	_ = postgrestuning.RDSParameter{Name: "work_mem", Value: "256MB"}
}
