// Empty is a Pulumi program that does almost nothing. The benchmark compares the previews of
// the platform with the previews of Empty. Empty registers RESOURCES resources of a type for
// which the stand-in does little work. With OBJECTS it also registers the genuine Kubernetes
// provider and OBJECTS ConfigMaps, the smallest objects of Kubernetes.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		count, err := strconv.Atoi(os.Getenv("RESOURCES"))
		if err != nil {
			return fmt.Errorf("RESOURCES: %w", err)
		}
		if err := registerObjects(ctx); err != nil {
			return err
		}
		for i := range count {
			var r pulumi.CustomResourceState
			if err := ctx.RegisterResource("aws:ec2/eip:Eip", fmt.Sprintf("r%d", i), pulumi.Map{"domain": pulumi.String("vpc")}, &r,
				pulumi.Version("6.83.2")); err != nil {
				return err
			}
		}
		return nil
	})
}

// registerObjects registers the Kubernetes provider and its ConfigMaps, unless OBJECTS is empty.
func registerObjects(ctx *pulumi.Context) error {
	text := os.Getenv("OBJECTS")
	if text == "" {
		return nil
	}
	objects, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("OBJECTS: %w", err)
	}
	var provider pulumi.ProviderResourceState
	if err := ctx.RegisterResource("pulumi:providers:kubernetes", "kubernetes",
		pulumi.Map{"kubeconfig": pulumi.String(os.Getenv("KUBECONFIG"))}, &provider, pulumi.Version("4.30.0")); err != nil {
		return err
	}
	for i := range objects {
		var r pulumi.CustomResourceState
		inputs := pulumi.Map{"apiVersion": pulumi.String("v1"), "kind": pulumi.String("ConfigMap"), "data": pulumi.Map{"key": pulumi.String("value")}}
		if err := ctx.RegisterResource("kubernetes:core/v1:ConfigMap", fmt.Sprintf("object%d", i), inputs, &r, pulumi.Provider(&provider)); err != nil {
			return err
		}
	}
	return nil
}
