// Command pulumi-resource-kubernetes is the genuine Pulumi Kubernetes provider, in the
// version that go.mod pins. The original command cannot be built from the module: it
// embeds two generated files that the module does not have. The bootstrap writes these
// files into the folder schema, from the same version of the module. The bootstrap also
// patches a copy of the module for a newer Pulumi: see docs/design/0001-sandbox.md.
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

// generatedFiles contains schema.json and terraform-mapping.json. The provider needs the schema
// for objects that it has not created: for imports and for functions that get a resource.
// The mapping is for `pulumi convert`.
//
//go:embed schema
var generatedFiles embed.FS

// patchForceVariable is an environment variable that the provider reads. If it is true, an update
// overwrites fields that another client has set. Later versions of the provider have the
// argument enablePatchForce instead.
const patchForceVariable = "PULUMI_K8S_ENABLE_PATCH_FORCE"

func main() {
	if err := serve(); err != nil {
		fmt.Fprintf(os.Stderr, "error: pulumi-resource-kubernetes: %v\n", err)
		os.Exit(1)
	}
}

func serve() error {
	schema, err := generatedFiles.ReadFile("schema/schema.json")
	if err != nil {
		return fmt.Errorf("built without its schema (%w): build it with `make build`", err)
	}
	mapping, err := generatedFiles.ReadFile("schema/terraform-mapping.json")
	if err != nil {
		return fmt.Errorf("built without its Terraform mapping (%w): build it with `make build`", err)
	}
	if _, ok := os.LookupEnv(patchForceVariable); !ok {
		if err := os.Setenv(patchForceVariable, "true"); err != nil {
			return fmt.Errorf("variable %s: %w", patchForceVariable, err)
		}
	}
	if err := setTemporaryFolder(os.Getenv("PROGRESSIVE_SANDBOX")); err != nil {
		return fmt.Errorf("folder of temporary files: %w", err)
	}
	provider.Serve("kubernetes", version.Version, schema, mapping)
	return nil
}

// setTemporaryFolder sets TMPDIR to a folder of the sandbox, if there is a sandbox. At
// every start the provider writes a temporary kubeconfig for Helm and does not delete it.
// So setTemporaryFolder deletes the files that are older than an hour. A younger file may
// be in use.
func setTemporaryFolder(sandboxFolder string) error {
	if sandboxFolder == "" {
		return nil
	}
	dir := filepath.Join(sandboxFolder, "run", "kubernetes-provider")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if info, err := file.Info(); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(dir, file.Name())) // another process may have removed it
		}
	}
	return os.Setenv("TMPDIR", dir)
}
