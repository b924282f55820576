// Command pulumi-resource-ko is the plugin that the Pulumi engine starts for
// the resources ko:index:Image, ko:index:ChangeGuard and ko:index:Password; see package provider.
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
	// ko reports its steps on the standard logger; what a person should see
	// goes to the engine instead.
	log.SetOutput(io.Discard)
	if err := provider.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-ko:", err)
		os.Exit(1)
	}
}
