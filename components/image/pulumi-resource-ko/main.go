// Command pulumi-resource-ko is the plugin that the Pulumi engine starts for the resources
// of package provider.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/progressive-framework/platform/components/image/provider"
)

func main() {
	// ko writes its steps to the standard logger. The provider sends messages for the
	// user to the engine instead.
	log.SetOutput(io.Discard)
	if err := provider.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-ko:", err)
		os.Exit(1)
	}
}
