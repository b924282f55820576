// Diagram draws a stack as it stands, as an SVG: what is not in its state is
// not in the picture. It reads `pulumi stack export` from its input; with
// -stack it first brings that stack of the project up, in a sandbox of
// simulated nodes that ends with it, so that prod can be drawn without AWS.
//
// What is drawn, in which words, is picture.yaml; outline.go fills it with a
// state, layout.go gives everything a place, and picture.svg.tmpl is the SVG.
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
	s, err := read(in)
	if err != nil {
		return err
	}
	return draw(s, out)
}
