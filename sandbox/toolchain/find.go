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

	"github.com/progressive-framework/platform/sandbox/home"
)

// askTimeout bounds the question for a tool's version.
const askTimeout = 20 * time.Second

func newResolver(ctx context.Context, environ []string, own ...string) *resolver {
	r := &resolver{ctx: ctx, environ: append(slices.Clone(environ), "PULUMI_SKIP_UPDATE_CHECK=1")}
	if len(own) > 0 {
		r.built = own[len(own)-1]
	}
	// A shell of `make env` has a sandbox's links on its PATH and its Pulumi
	// home: neither may pass for installed.
	sandbox := lookup(environ, home.Variable)
	if sandbox != "" {
		own = append(slices.Clone(own), filepath.Join(sandbox, "bin"))
	}
	for _, dir := range filepath.SplitList(lookup(environ, "PATH")) {
		if filepath.IsAbs(dir) && !slices.Contains(own, filepath.Clean(dir)) {
			r.path = append(r.path, dir)
		}
	}
	pulumi := lookup(environ, "PULUMI_HOME")
	if pulumi == "" || sandbox != "" && strings.HasPrefix(pulumi, sandbox) {
		pulumi = filepath.Join(lookup(environ, "HOME"), ".pulumi")
	}
	r.plugins = filepath.Join(pulumi, "plugins")
	return r
}

// find returns the first executable called name on the path, or "".
func (r *resolver) find(name string) string {
	for _, dir := range r.path {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}

// ask runs a tool for its version; "" where it does not answer.
func (r *resolver) ask(file string, args ...string) string {
	ctx, cancel := context.WithTimeout(r.ctx, askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Env = r.environ
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// InstalledPulumi returns the pulumi on the PATH of environ that is new enough
// to be used, leaving out the folders own, with its version; path is "" where
// there is none, and note says what was passed over.
func InstalledPulumi(ctx context.Context, environ []string, own ...string) (path, version, note string) {
	return newResolver(ctx, environ, own...).installedPulumi()
}

func (r *resolver) installedPulumi() (path, version, note string) {
	file := r.find("pulumi")
	if file == "" {
		return "", "", ""
	}
	said := r.ask(file, "version")
	v, ok := parseVersion(said)
	if !ok {
		return "", "", fmt.Sprintf("%s does not tell its version", file)
	}
	if v.major != PulumiMajor || v.minor < PulumiMinor {
		return "", "", fmt.Sprintf("%s is %s; %d.%d or later is needed", file, said, PulumiMajor, PulumiMinor)
	}
	return file, said, ""
}

func (r *resolver) pulumi() Tool {
	t := Tool{Name: "pulumi", Kind: Built, Path: filepath.Join(r.built, "pulumi")}
	path, version, note := r.installedPulumi()
	if t.Note = note; path != "" {
		t.Kind, t.Path, t.Version = Installed, path, version
		return t
	}
	// bin/pulumi of an earlier run may lead to a pulumi that has gone since.
	t.Version = r.ask(t.Path, "version")
	return t
}

func (r *resolver) languageHost() Tool {
	t := r.standIn("pulumi-language-go")
	if file := r.find(t.Name); file != "" {
		t.Kind, t.Path = Installed, file
	}
	return t
}

// InstalledKubernetesPlugin returns the Kubernetes provider that is installed
// on the machine of environ and that the sandbox will use, leaving out the
// folders own; "" where there is none.
func InstalledKubernetesPlugin(ctx context.Context, environ []string, own ...string) string {
	t := newResolver(ctx, environ, own...).kubernetesPlugin()
	if t.Kind != Installed {
		return ""
	}
	return t.Path
}

func (r *resolver) kubernetesPlugin() Tool {
	const name = "pulumi-resource-kubernetes"
	t := Tool{Name: name, Kind: Built, Path: filepath.Join(r.built, name), Version: KubernetesPluginVersion}
	if file := r.find(t.Name); file != "" {
		t.Kind, t.Path, t.Version = Installed, file, ""
		return t
	}
	const prefix = "resource-kubernetes-"
	found, err := filepath.Glob(filepath.Join(r.plugins, prefix+"v*", t.Name))
	if err != nil {
		return t // the pattern is constant: only a Pulumi home with a bracket in its name comes here
	}
	var best version
	for _, file := range found {
		said := strings.TrimPrefix(filepath.Base(filepath.Dir(file)), prefix)
		v, ok := parseVersion(said)
		switch {
		case !ok:
		case v.major != KubernetesPluginMajor:
			t.Note = fmt.Sprintf("%s is %s; major version %d is needed", file, said, KubernetesPluginMajor)
		case best.less(v):
			best = v
			t.Kind, t.Path, t.Version = Installed, file, said
		}
	}
	if t.Kind == Installed {
		t.Note = ""
	}
	return t
}

func (r *resolver) kubectl() Tool {
	t := r.standIn("kubectl")
	t.Kind = Built // from k8s.io/kubectl: the genuine code
	t.Version = fmt.Sprintf("v1.%d", KubernetesMinor)
	file := r.find(t.Name)
	if file == "" {
		return t
	}
	var answer struct {
		ClientVersion struct {
			GitVersion string `json:"gitVersion"`
		} `json:"clientVersion"`
	}
	said := r.ask(file, "version", "--client", "-o", "json")
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		t.Note = fmt.Sprintf("%s does not tell its version", file)
		return t
	}
	v, ok := parseVersion(answer.ClientVersion.GitVersion)
	if !ok || v.major != 1 || v.minor < KubernetesMinor-1 || v.minor > KubernetesMinor+1 {
		t.Note = fmt.Sprintf("%s is %s; 1.%d to 1.%d suit the API server", file,
			answer.ClientVersion.GitVersion, KubernetesMinor-1, KubernetesMinor+1)
		return t
	}
	t.Kind, t.Path, t.Version = Installed, file, answer.ClientVersion.GitVersion
	return t
}

func lookup(environ []string, name string) string {
	value := ""
	for _, kv := range environ {
		if n, v, _ := strings.Cut(kv, "="); n == name {
			value = v
		}
	}
	return value
}
