// Diagram draws the resources of a stack's state as an SVG. It reads the output of
// `pulumi stack export` from its input. With -stack it creates that stack of the project
// in a temporary sandbox with simulated nodes, and draws it. So prod can be drawn
// without AWS.
//
// picture.yaml defines the boxes and their text, outline.go fills them from a
// state, layout.go computes positions, and picture.svg.tmpl is the SVG.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	stack := flag.String("stack", "", "bring this stack up and draw it, instead of a state from the input")
	root := flag.String("project", "..", "the project's folder, built by `make build`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *root, *stack, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error: diagram:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, stack string, in io.Reader, out io.Writer) error {
	if stack != "" {
		export, err := bringUp(ctx, root, stack)
		if err != nil {
			return fmt.Errorf("stack %s: %w", stack, err)
		}
		in = bytes.NewReader(export)
	}
	s, err := readState(in)
	if err != nil {
		return err
	}
	return draw(s, out)
}
