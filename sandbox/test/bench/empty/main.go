// Empty is a Pulumi program that does almost nothing. The benchmark compares the previews of
// the platform with the previews of Empty. Empty registers RESOURCES resources of a type for
// which the stand-in does little work. With KUBERNETES=1 it also registers a Kubernetes
// provider, as the platform does, but no Kubernetes resources.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		n, err := strconv.Atoi(os.Getenv("RESOURCES"))
		if err != nil {
			return fmt.Errorf("RESOURCES: %w", err)
		}
		if os.Getenv("KUBERNETES") == "1" {
			var provider pulumi.ProviderResourceState
			if err := ctx.RegisterResource("pulumi:providers:kubernetes", "kubernetes",
				pulumi.Map{"kubeconfig": pulumi.String(os.Getenv("KUBECONFIG"))}, &provider, pulumi.Version("4.30.0")); err != nil {
				return err
			}
		}
		for i := range n {
			var r pulumi.CustomResourceState
			if err := ctx.RegisterResource("aws:ec2/eip:Eip", fmt.Sprintf("r%d", i), pulumi.Map{"domain": pulumi.String("vpc")}, &r,
				pulumi.Version("6.83.2")); err != nil {
				return err
			}
		}
		return nil
	})
}
