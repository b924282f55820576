// Diagram draws a stack as it stands: it reads `pulumi stack export` from its
// input and writes an SVG. What is not in the state is not in the picture.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/template"
)

//go:embed platform.svg.tmpl
var platform string

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error: diagram:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var export struct {
		Deployment struct {
			Resources []resource `json:"resources"`
		} `json:"deployment"`
	}
	if err := json.NewDecoder(in).Decode(&export); err != nil {
		return fmt.Errorf("the input is not the output of `pulumi stack export`: %w", err)
	}
	p, err := layOut(export.Deployment.Resources)
	if err != nil {
		return err
	}
	t, err := template.New("platform.svg").Parse(platform)
	if err != nil {
		return err
	}
	return t.Execute(out, p)
}
