// Command pulumi-resource-kubernetes is the genuine Pulumi Kubernetes provider,
// built from the version of its Go module that go.mod pins. Upstream's own
// command does not build from the module: the schema that it embeds is
// generated, and no part of the module. The bootstrap writes that schema into
// the folder schema, from the same version of the module. It also builds from a
// copy of the module that fits a newer Pulumi: docs/design/0001-sandbox.md.
package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

// generated holds schema.json, by which the provider reads objects that it has
// not created (import, and the functions that get a resource), and
// terraform-mapping.json for `pulumi convert`.
//
//go:embed schema
var generated embed.FS

// patchForce is the variable by which this version of the provider is told
// what later ones read from the provider's argument enablePatchForce: an update
// takes back a field that somebody else has set.
const patchForce = "PULUMI_K8S_ENABLE_PATCH_FORCE"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "error: pulumi-resource-kubernetes: %v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	schema, err := generated.ReadFile("schema/schema.json")
	if err != nil {
		return fmt.Errorf("built without its schema (%w): build it with `make build`", err)
	}
	mapping, err := generated.ReadFile("schema/terraform-mapping.json")
	if err != nil {
		return fmt.Errorf("built without its Terraform mapping (%w): build it with `make build`", err)
	}
	if _, ok := os.LookupEnv(patchForce); !ok {
		if err := os.Setenv(patchForce, "true"); err != nil {
			return fmt.Errorf("variable %s: %w", patchForce, err)
		}
	}
	if err := keepTemporaryFiles(os.Getenv("PROGRESSIVE_SANDBOX")); err != nil {
		return fmt.Errorf("folder of temporary files: %w", err)
	}
	provider.Serve("kubernetes", version.Version, schema, mapping)
	return nil
}

// keepTemporaryFiles has temporary files written to the sandbox's folder, if
// there is a sandbox. The provider writes a kubeconfig for Helm at every start
// and leaves it behind; those of the last hour may still be in use.
func keepTemporaryFiles(sandbox string) error {
	if sandbox == "" {
		return nil
	}
	dir := filepath.Join(sandbox, "run", "kubernetes-provider")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if info, err := file.Info(); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(dir, file.Name())) // another start removes it, too
		}
	}
	return os.Setenv("TMPDIR", dir)
}
