package main

import (
	"fmt"
	"os"
)

func main() {
	for _, f := range os.Args[1:] {
		o, err := readObjects(f)
		if err != nil { panic(err) }
		r, err := grade(o)
		if err != nil { panic(err) }
		fmt.Println(f, len(o), r.grades, len(r.critical))
		for _, c := range r.critical { fmt.Println(c) }
	}
}
