package languagehost

import (
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
)

const goMod = `module example.com/program

go 1.26

require (
	example.com/sdk/v4 v4.30.0
	example.com/Upper v1.0.0
	example.com/commit v1.2.4-0.20260101000000-0123456789ab
	example.com/local v1.0.0
	example.com/policy v1.0.0
	github.com/pulumi/pulumi-go-provider v1.1.2
	example.com/deep v2.0.0+incompatible // indirect
)

replace example.com/local => ../local
`

// newProgramWithModules creates a program, and a module cache with the modules that it
// requires. It returns the program's folder.
func newProgramWithModules(t *testing.T) (program string) {
	root := t.TempDir()
	cache := filepath.Join(root, "cache")
	t.Setenv("GOMODCACHE", cache)
	writeFile(t, root, "program/go.mod", goMod, 0o644)
	for path, text := range map[string]string{
		"cache/example.com/sdk/v4@v4.30.0/go/sdk/pulumi-plugin.json":                          `{"resource": true, "name": "sdk", "version": "4.30.0"}`,
		"cache/example.com/!upper@v1.0.0/pulumi-plugin.json":                                  `{"resource": true, "name": "upper", "server": "https://plugins.example"}`,
		"cache/example.com/commit@v1.2.4-0.20260101000000-0123456789ab/go/pulumi-plugin.json": `{"resource": true, "name": "commit"}`,
		"cache/example.com/policy@v1.0.0/pulumi-plugin.json":                                  `{"resource": false, "name": "policy"}`,
		"cache/github.com/pulumi/pulumi-go-provider@v1.1.2/README.md":                         "a library",
		"cache/example.com/deep@v2.0.0+incompatible/sdk/pulumi-plugin.json":                   `{"resource": true, "name": "deep", "version": "2.0.0", "parameterization": {"name": "n", "version": "1.0.0", "value": "aGk="}}`,
		"local/pulumi-plugin.json":                                                            `{"resource": true, "name": "local", "version": "0.1.0"}`,
	} {
		writeFile(t, root, path, text, 0o644)
	}
	return filepath.Join(root, "program")
}

func TestRequiredPackagesComeFromTheSDKs(t *testing.T) {
	h, dir := startHost(t), newProgramWithModules(t)
	response, err := h.GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{Info: newProgramInfo(t, filepath.Join(dir, "infra"), nil)})
	require.NoError(t, err)
	packages := map[string]*pulumirpc.PackageDependency{}
	for _, p := range response.GetPackages() {
		require.Equal(t, "resource", p.GetKind())
		packages[p.GetName()] = p
	}
	require.Len(t, packages, 5)
	require.Equal(t, "4.30.0", packages["sdk"].GetVersion())
	require.Equal(t, "v1.0.0", packages["upper"].GetVersion(), "a plugin without a version has the module's version")
	require.Equal(t, "https://plugins.example", packages["upper"].GetServer())
	require.Empty(t, packages["commit"].GetVersion(), "no plugin is published for a commit")
	require.Equal(t, "0.1.0", packages["local"].GetVersion(), "a replaced module is read from its folder")
	require.Equal(t, "hi", string(packages["deep"].GetParameterization().GetValue()))
	require.NotContains(t, packages, "go-provider", "a library for providers has no plugin")
}

func TestAPrebuiltProgramNeedsNoModule(t *testing.T) {
	h := startHost(t)
	response, err := h.GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{Info: newProgramInfo(t, t.TempDir(), nil)})
	require.NoError(t, err)
	require.Empty(t, response.GetPackages())
}

func TestProgramDependenciesAreTheModulesOfGoMod(t *testing.T) {
	h, dir := startHost(t), newProgramWithModules(t)
	for _, tc := range []struct {
		reason     string
		transitive bool
		want       int
	}{
		{"direct requirements", false, 6},
		{"direct and indirect requirements", true, 7},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			response, err := h.GetProgramDependencies(t.Context(), &pulumirpc.GetProgramDependenciesRequest{
				Info: newProgramInfo(t, dir, nil), TransitiveDependencies: tc.transitive,
			})
			require.NoError(t, err)
			require.Len(t, response.GetDependencies(), tc.want)
			for _, d := range response.GetDependencies() {
				require.Equal(t, d.GetName() == "example.com/local", d.GetVersion() == "", "only a replaced module has no version: %s", d)
			}
		})
	}
}

func TestAboutNamesTheGoToolchain(t *testing.T) {
	h := startHost(t)
	response, err := h.About(t.Context(), &pulumirpc.AboutRequest{Info: newProgramInfo(t, t.TempDir(), nil)})
	require.NoError(t, err)
	path, err := exec.LookPath("go")
	require.NoError(t, err)
	require.Equal(t, path, response.GetExecutable())
	require.Contains(t, response.GetVersion(), "go version")

	// The version is in the build info of an executable. A test binary has none, so the test
	// does not compare it.
	_, err = h.GetPluginInfo(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
}

// gRPC allows only one Send on a stream at a time.
func TestOutputAndErrorsAreNotSentAtTheSameTime(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo out; echo error >&2; done")
	var sending, overlaps atomic.Int32
	sendOutput(cmd, func([]byte) error {
		if sending.Add(1) > 1 {
			overlaps.Add(1)
		}
		time.Sleep(5 * time.Millisecond)
		sending.Add(-1)
		return nil
	})
	require.NoError(t, cmd.Run())
	require.Zero(t, overlaps.Load())
}

func TestInstallDependenciesStreamsTheOutput(t *testing.T) {
	h, dir := startHost(t), t.TempDir()
	writeFile(t, dir, "go.mod", "module example.com/broken\n\nrequire nonsense\n", 0o644)
	stream, err := h.InstallDependencies(t.Context(), &pulumirpc.InstallDependenciesRequest{Info: newProgramInfo(t, dir, nil)})
	require.NoError(t, err)
	output := ""
	for {
		m, err := stream.Recv()
		if err != nil {
			require.ErrorContains(t, err, "go mod download")
			break
		}
		output += string(m.GetStdout())
	}
	require.Contains(t, output, "go.mod:3")
}
