// Command unit writes an RDS parameter in a unit that RDS does not take.
package main

import "github.com/progressive-framework/platform/components/postgres/tuning"

func main() {
	_ = tuning.RDSParameter{Name: "work_mem", Value: "256MB"}
}
