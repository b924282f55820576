package toolchain

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// versionTimeout is how long a tool may take to print its version.
const versionTimeout = 20 * time.Second

// newResolver returns a resolver for the environment environ. The resolver does not search the
// folders in ignored, although they may be on the PATH: their tools belong to the sandbox and
// do not count as installed. The last folder in ignored has the executables of the bootstrap.
func newResolver(ctx context.Context, environ []string, ignored ...string) *resolver {
	r := &resolver{ctx: ctx, environ: append(slices.Clone(environ), "PULUMI_SKIP_UPDATE_CHECK=1")}
	if len(ignored) > 0 {
		r.builtFolder = ignored[len(ignored)-1]
	}
	// A shell of `make env` has a sandbox's links on its PATH and a sandbox's folder in
	// PULUMI_HOME. Tools and plugins in these folders do not count as installed.
	sandboxFolder := lookupVariable(environ, layout.Variable)
	if sandboxFolder != "" {
		l := &layout.Layout{Dir: filepath.Clean(sandboxFolder)}
		ignored = append(slices.Clone(ignored), l.Bin(), l.ShellBin())
	}
	for _, dir := range filepath.SplitList(lookupVariable(environ, "PATH")) {
		if filepath.IsAbs(dir) && !slices.Contains(ignored, filepath.Clean(dir)) {
			r.path = append(r.path, dir)
		}
	}
	pulumiFolder := lookupVariable(environ, "PULUMI_HOME")
	if pulumiFolder == "" || sandboxFolder != "" && strings.HasPrefix(pulumiFolder, sandboxFolder) {
		pulumiFolder = filepath.Join(lookupVariable(environ, "HOME"), ".pulumi")
	}
	r.pluginFolder = filepath.Join(pulumiFolder, "plugins")
	return r
}

// find returns the path of the first executable with that name on the resolver's PATH, or
// "" if there is none.
func (r *resolver) find(name string) string {
	for _, dir := range r.path {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}

// captureOutput runs a tool and returns its output, or "" if the tool fails.
func (r *resolver) captureOutput(file string, args ...string) string {
	ctx, cancel := context.WithTimeout(r.ctx, versionTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = r.environ
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// InstalledPulumi looks for pulumi on the PATH of environ, except in the folders in ignored. If
// the version is new enough, it returns the path and the version. Otherwise path is "". If a
// pulumi is installed but is not used, note has the reason.
func InstalledPulumi(ctx context.Context, environ []string, ignored ...string) (path, version, note string) {
	return newResolver(ctx, environ, ignored...).findPulumi()
}

// findPulumi looks for pulumi on the resolver's PATH. If the version is new enough, it returns
// the path and the version. Otherwise path is "", and note has the reason if a pulumi was found.
func (r *resolver) findPulumi() (path, version, note string) {
	file := r.find("pulumi")
	if file == "" {
		return "", "", ""
	}
	versionText := r.captureOutput(file, "version")
	parsed, ok := parseVersion(versionText)
	if !ok {
		return "", "", fmt.Sprintf("%s does not print its version", file)
	}
	if parsed.major != PulumiMajor || parsed.minor < PulumiMinor {
		return "", "", fmt.Sprintf("%s is %s; %d.%d or later is needed", file, versionText, PulumiMajor, PulumiMinor)
	}
	return file, versionText, ""
}

// selectPulumi returns an installed Pulumi CLI if its version is new enough. Otherwise it returns
// the CLI that the bootstrap built.
func (r *resolver) selectPulumi() Tool {
	t := Tool{Name: "pulumi", Kind: Built, Path: filepath.Join(r.builtFolder, "pulumi")}
	path, version, note := r.findPulumi()
	t.Note = note
	if path != "" {
		t.Kind, t.Path, t.Version = Installed, path, version
		return t
	}
	t.Version = r.captureOutput(t.Path, "version")
	return t
}

// selectLanguageHost returns an installed Go language host, or the stand-in if none is installed.
func (r *resolver) selectLanguageHost() Tool {
	t := r.newStandIn("pulumi-language-go")
	if file := r.find(t.Name); file != "" {
		t.Kind, t.Path = Installed, file
	}
	return t
}

// InstalledKubernetesPlugin returns the path of an installed Kubernetes provider that the
// sandbox will use, or "" if there is none. It searches the PATH of environ, except the folders
// in ignored, and the plugins in PULUMI_HOME.
func InstalledKubernetesPlugin(ctx context.Context, environ []string, ignored ...string) string {
	t := newResolver(ctx, environ, ignored...).selectKubernetesPlugin()
	if t.Kind != Installed {
		return ""
	}
	return t.Path
}

// selectKubernetesPlugin returns the Kubernetes provider that the sandbox uses. The first choice
// is a provider on the PATH. The second is the newest of Pulumi's plugins that has the
// right major version. The last is the provider that the bootstrap built.
func (r *resolver) selectKubernetesPlugin() Tool {
	const name = "pulumi-resource-kubernetes"
	t := Tool{Name: name, Kind: Built, Path: filepath.Join(r.builtFolder, name), Version: KubernetesPluginVersion}
	if file := r.find(t.Name); file != "" {
		t.Kind, t.Path, t.Version = Installed, file, ""
		return t
	}
	const prefix = "resource-kubernetes-"
	pluginPaths, err := filepath.Glob(filepath.Join(r.pluginFolder, prefix+"v*", t.Name))
	if err != nil {
		return t // the pattern is malformed, because the path of PULUMI_HOME contains a bracket
	}
	var newest version
	for _, file := range pluginPaths {
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(file)), prefix)
		parsed, ok := parseVersion(name)
		switch {
		case !ok: // the folder's name has no version, so it is not a plugin
		case parsed.major != KubernetesPluginMajor:
			t.Note = fmt.Sprintf("%s is %s; major version %d is needed", file, name, KubernetesPluginMajor)
		case newest.less(parsed):
			newest = parsed
			t.Kind, t.Path, t.Version = Installed, file, name
		}
	}
	if t.Kind == Installed {
		t.Note = ""
	}
	return t
}

// selectKubectl returns an installed kubectl if the API server supports its version. Otherwise
// it returns the sandbox's own kubectl.
func (r *resolver) selectKubectl() Tool {
	t := r.newStandIn("kubectl")
	t.Kind = Built // the sandbox's binary contains the genuine code, of the module k8s.io/kubectl
	t.Version = fmt.Sprintf("v1.%d", KubernetesMinor)
	file := r.find(t.Name)
	if file == "" {
		return t
	}
	var output struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	rawOutput := r.captureOutput(file, "version", "--client", "-o", "json")
	if err := json.Unmarshal([]byte(rawOutput), &output); err != nil {
		t.Note = fmt.Sprintf("%s does not print its version", file)
		return t
	}
	parsed, ok := parseVersion(output.ClientVersion.GitVersion)
	if !ok || parsed.major != 1 || parsed.minor < KubernetesMinor-1 || parsed.minor > KubernetesMinor+1 {
		t.Note = fmt.Sprintf("%s is %s; the API server supports 1.%d to 1.%d", file,
			output.ClientVersion.GitVersion, KubernetesMinor-1, KubernetesMinor+1)
		return t
	}
	t.Kind, t.Path, t.Version = Installed, file, output.ClientVersion.GitVersion
	return t
}

// lookupVariable returns the value of a variable in environ, or "" if it is not set. If it is set
// several times, the last value applies.
func lookupVariable(environ []string, name string) string {
	value := ""
	for _, variable := range environ {
		if key, keyValue, _ := strings.Cut(variable, "="); key == name {
			value = keyValue
		}
	}
	return value
}
