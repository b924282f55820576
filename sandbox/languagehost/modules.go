package languagehost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"google.golang.org/grpc"
)

const (
	// queryTimeout is how long a go command that prints one value may take.
	queryTimeout = 30 * time.Second
	// downloadTimeout is how long it may take to download the program's modules.
	downloadTimeout = 15 * time.Minute
)

// pluginFile is the name of the file in which the module of an SDK describes its plugin.
const pluginFile = "pulumi-plugin.json"

// errNoModule is returned for a folder outside any Go module.
var errNoModule = errors.New("no go.mod in it nor in a folder above it")

// readModule finds and parses the go.mod of the module that contains dir.
func readModule(dir string) (root string, file *modfile.File, err error) {
	for folder := dir; ; folder = filepath.Dir(folder) {
		path := filepath.Join(folder, "go.mod")
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			if folder == filepath.Dir(folder) {
				return "", nil, fmt.Errorf("the program's folder %s: %w", dir, errNoModule)
			}
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("reading the program's module: %w", err)
		}
		file, err := modfile.Parse(path, raw, nil)
		if err != nil {
			return "", nil, fmt.Errorf("reading the program's module: %w", err)
		}
		return folder, file, nil
	}
}

// sourceFolder returns the folder of a required module. This is the folder of its replacement
// in go.mod, or a folder in the module cache if go.mod does not replace the module.
func sourceFolder(root, moduleCache string, file *modfile.File, required module.Version) (string, error) {
	for _, r := range file.Replace {
		// A replacement without an old version applies to all versions.
		applies := r.Old.Path == required.Path && (r.Old.Version == "" || r.Old.Version == required.Version)
		if !applies {
			continue
		}
		if r.New.Version != "" {
			required = r.New
			break
		}
		if filepath.IsAbs(r.New.Path) {
			return r.New.Path, nil
		}
		return filepath.Join(root, r.New.Path), nil
	}
	path, err := module.EscapePath(required.Path)
	if err != nil {
		return "", err
	}
	version, err := module.EscapeVersion(required.Version)
	if err != nil {
		return "", err
	}
	return filepath.Join(moduleCache, filepath.FromSlash(path)+"@"+version), nil
}

// plugin is the content of a pulumi-plugin.json.
type plugin struct {
	Resource         bool   `json:"resource"`
	Name             string `json:"name"`
	Version          string `json:"version"`
	Server           string `json:"server"`
	Parameterization *struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Value   []byte `json:"value"`
	} `json:"parameterization"`
}

// readPlugin reads the pluginFile of the module in dir. SDKs have the file in the root, in
// a subfolder, or in a subfolder of go/. It returns nil if there is no such file.
func readPlugin(dir string) (*plugin, error) {
	for _, pattern := range []string{pluginFile, "*/" + pluginFile, "go/*/" + pluginFile} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			p := &plugin{}
			if err := json.Unmarshal(raw, p); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			return p, nil
		}
	}
	return nil, nil
}

// GetRequiredPackages returns the plugins of the SDKs in the program's go.mod. The
// engine finds or downloads them before the run, and uses their versions for its
// default providers.
//
// The real host also assumes a plugin for every module with a path that begins with
// github.com/pulumi/pulumi-. This stand-in does not, because pulumi-go-provider has such a path
// but is a library without a plugin.
func (h *host) GetRequiredPackages(ctx context.Context, req *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	root, file, err := readModule(req.GetInfo().GetProgramDirectory())
	if errors.Is(err, errNoModule) { // a prebuilt program may be in any folder
		return &pulumirpc.GetRequiredPackagesResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	moduleCache, err := runGo(ctx, root, "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	var packages []*pulumirpc.PackageDependency
	for _, r := range file.Require {
		dir, err := sourceFolder(root, moduleCache, file, r.Mod)
		if err != nil {
			return nil, fmt.Errorf("module %s of %s: %w", r.Mod, file.Syntax.Name, err)
		}
		p, err := readPlugin(dir)
		if err != nil {
			return nil, fmt.Errorf("module %s of %s: %w", r.Mod, file.Syntax.Name, err)
		}
		if p == nil || !p.Resource || p.Name == "" {
			continue // the module has no resource plugin
		}
		packages = append(packages, p.packageDependency(r.Mod.Version))
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// packageDependency returns the plugin in the form that the engine expects. If the plugin file has no
// version, the plugin has the version of the SDK's module.
func (p *plugin) packageDependency(moduleVersion string) *pulumirpc.PackageDependency {
	d := &pulumirpc.PackageDependency{Name: p.Name, Kind: "resource", Version: p.Version, Server: p.Server}
	// A pseudo-version names a commit between two releases, for which no plugin is released.
	if d.Version == "" && !module.IsPseudoVersion(moduleVersion) {
		d.Version = moduleVersion
	}
	if p.Parameterization != nil {
		d.Parameterization = &pulumirpc.PackageParameterization{
			Name: p.Parameterization.Name, Version: p.Parameterization.Version, Value: p.Parameterization.Value,
		}
	}
	return d
}

// GetProgramDependencies lists the modules of the program's go.mod, for `pulumi about`.
func (h *host) GetProgramDependencies(_ context.Context, req *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	_, file, err := readModule(req.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	replaced := map[string]bool{}
	for _, r := range file.Replace {
		replaced[r.Old.Path] = true
	}
	var dependencies []*pulumirpc.DependencyInfo
	for _, r := range file.Require {
		if r.Indirect && !req.GetTransitiveDependencies() {
			continue
		}
		d := &pulumirpc.DependencyInfo{Name: r.Mod.Path}
		if !replaced[r.Mod.Path] { // the version of a replacement is not in go.mod
			d.Version = r.Mod.Version
		}
		dependencies = append(dependencies, d)
	}
	return &pulumirpc.GetProgramDependenciesResponse{Dependencies: dependencies}, nil
}

// InstallDependencies downloads the program's modules. Unlike the real host it
// does not run go mod tidy, because it must not change go.mod and go.sum.
func (h *host) InstallDependencies(req *pulumirpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]) error {
	ctx, release := h.session.CallContext(stream.Context())
	defer release()
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	cmd := newCommand(ctx, req.GetInfo().GetProgramDirectory(), "go", "mod", "download")
	sendOutput(cmd, func(b []byte) error { return stream.Send(&pulumirpc.InstallDependenciesResponse{Stdout: b}) })
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("`go mod download` in %s: %w", cmd.Dir, err)
	}
	return nil
}

// About names the Go toolchain, for `pulumi about`.
func (h *host) About(ctx context.Context, req *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, fmt.Errorf("no `go` on PATH: %w", err)
	}
	version, err := runGo(ctx, req.GetInfo().GetProgramDirectory(), "version")
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{Executable: path, Version: version}, nil
}

// RuntimeOptionsPrompts returns no questions for `pulumi new`.
func (h *host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

// runGo runs a go command and returns its output.
func runGo(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	out, err := newCommand(ctx, dir, "go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("`go %s`: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// sendOutput passes the command's standard output and standard error to send. The calls of send
// do not overlap: if both writers are the same pointer, package exec writes from one goroutine.
func sendOutput(cmd *exec.Cmd, send func([]byte) error) {
	w := &sendWriter{send}
	cmd.Stdout, cmd.Stderr = w, w
}

// sendWriter is an io.Writer that calls send with each write.
type sendWriter struct{ send func([]byte) error }

func (w *sendWriter) Write(b []byte) (int, error) {
	if err := w.send(append([]byte(nil), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
