// Package home knows where one sandbox keeps everything: its folder, its
// ports, and the environment in which Pulumi, kubectl and the stand-ins find
// each other. It owns no process and starts nothing.
//
// Everything a sandbox writes lies in one folder, so that removing the folder
// removes the sandbox. Several sandboxes (the live one and those of the engine
// tests) can stand side by side when their folders and ports differ.
package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is the environment variable that names the sandbox's folder. The
// stand-ins refuse to start where it is not set: without it a shell is not in
// a sandbox.
const Variable = "PROGRESSIVE_SANDBOX"

// The kinds of cluster that a sandbox can stand on.
const (
	ClusterLocal     = "local"     // our own control plane, kubelet and containerd; needs root
	ClusterSimulated = "simulated" // our own control plane, nodes simulated by kwok; needs no root
	ClusterExisting  = "existing"  // the person's own kubeconfig; needs no root
)

// Ports are the TCP ports on 127.0.0.1 that one sandbox listens on.
type Ports struct {
	APIServer         int `json:"apiServer"`
	EtcdClient        int `json:"etcdClient"`
	EtcdPeer          int `json:"etcdPeer"`
	ControllerManager int `json:"controllerManager"`
	Scheduler         int `json:"scheduler"`
	Kubelet           int `json:"kubelet"`
	KubeletHealth     int `json:"kubeletHealth"`
	ProxyHealth       int `json:"proxyHealth"`
	ProxyMetrics      int `json:"proxyMetrics"`
	Registry          int `json:"registry"`
	Volumes           int `json:"volumes"`
	NodePort          int `json:"nodePort"` // where the platform's front door answers
}

// DefaultPorts are those of the sandbox of `make up`.
func DefaultPorts() Ports {
	return Ports{
		APIServer: 6443, EtcdClient: 2379, EtcdPeer: 2380,
		ControllerManager: 10257, Scheduler: 10259,
		Kubelet: 10250, KubeletHealth: 10248, ProxyHealth: 10256, ProxyMetrics: 10249,
		Volumes: 10261, Registry: 5001, NodePort: 30080,
	}
}

// All lists the ports by name, in the order of the fields.
func (p Ports) All() []NamedPort {
	return []NamedPort{
		{"API server", p.APIServer}, {"etcd client", p.EtcdClient}, {"etcd peer", p.EtcdPeer},
		{"controller manager", p.ControllerManager}, {"scheduler", p.Scheduler},
		{"kubelet", p.Kubelet}, {"kubelet health", p.KubeletHealth},
		{"kube-proxy health", p.ProxyHealth}, {"kube-proxy metrics", p.ProxyMetrics},
		{"volumes health", p.Volumes}, {"registry", p.Registry}, {"node port", p.NodePort},
	}
}

// NamedPort is a port and what listens there.
type NamedPort struct {
	Name string
	Port int
}

// Settings are what a sandbox was made with. They are written to
// settings.json in its folder and do not change while it lives.
type Settings struct {
	// Cluster is one of ClusterLocal, ClusterSimulated and ClusterExisting.
	Cluster string `json:"cluster"`
	// Kubeconfig is the person's own file; only for ClusterExisting.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Project is the folder that holds Pulumi.yaml.
	Project string `json:"project"`
	// Registry is the host and port of the person's own registry, one that the
	// nodes of their cluster pull from; only for ClusterExisting.
	Registry string `json:"registry,omitempty"`
	Ports    Ports  `json:"ports"`
	// Zones are the availability zones that simulated nodes are spread over.
	Zones []string `json:"zones,omitempty"`
}

// Home is one sandbox's folder with its settings.
type Home struct {
	// Dir is the absolute path of the folder.
	Dir string
	Settings
}

// ErrNotSandbox is returned by FromEnv outside a sandbox's environment.
var ErrNotSandbox = errors.New(Variable + ` is not set: this shell is not in a sandbox; run eval "$(make env)" first`)

// FromEnv opens the sandbox that the environment names.
func FromEnv() (*Home, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return nil, ErrNotSandbox
	}
	return Open(dir)
}

// Open reads the settings of the sandbox in dir.
func Open(dir string) (*Home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox folder %q: %w", dir, err)
	}
	// A sandbox that was made before a port was needed gets the default one.
	h := &Home{Dir: abs, Settings: Settings{Ports: DefaultPorts()}}
	raw, err := os.ReadFile(h.path("settings.json"))
	if err != nil {
		return nil, fmt.Errorf("no sandbox in %s: %w", abs, err)
	}
	if err := json.Unmarshal(raw, &h.Settings); err != nil {
		return nil, fmt.Errorf("%s: %w", h.path("settings.json"), err)
	}
	return h, nil
}

// MakeFolders makes those folders of the sandbox that are not there: one that
// was made before may lack what newer ones have.
func (h *Home) MakeFolders() error {
	for _, d := range []string{h.Dir, h.Bin(), h.Logs(), h.Run(), h.PKI(), h.Backend(), h.AWS()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("sandbox folder: %w", err)
		}
	}
	return h.makePulumiHome()
}

// Create makes the folder and writes the settings; where the folder already
// holds a sandbox its settings are replaced.
func Create(dir string, s Settings) (*Home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox folder %q: %w", dir, err)
	}
	h := &Home{Dir: abs, Settings: s}
	if err := h.MakeFolders(); err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(h.path("settings.json"), append(raw, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("sandbox settings: %w", err)
	}
	return h, nil
}

func (h *Home) path(parts ...string) string {
	return filepath.Join(append([]string{h.Dir}, parts...)...)
}

// Bin holds the executables that come first on the sandbox's PATH.
func (h *Home) Bin() string { return h.path("bin") }

// ShellBin holds what comes before Bin on the PATH of a person's shell.
func (h *Home) ShellBin() string { return h.path("shell", "bin") }

// Logs holds one file a process, NAME.log.
func (h *Home) Logs() string { return h.path("logs") }

// Run holds the process records and sockets.
func (h *Home) Run() string { return h.path("run") }

// PKI holds the cluster's certificates and keys.
func (h *Home) PKI() string { return h.path("pki") }

// Etcd holds the API server's data.
func (h *Home) Etcd() string { return h.path("etcd") }

// RegistryDir holds the blobs and manifests of our own OCI registry.
func (h *Home) RegistryDir() string { return h.path("registry") }

// RegistryAddress is the host and port of the registry that images are pushed
// to and pulled from.
func (h *Home) RegistryAddress() string {
	if h.Settings.Registry != "" {
		return h.Settings.Registry
	}
	return fmt.Sprintf("127.0.0.1:%d", h.Ports.Registry)
}

// RegistryPassword is the file that holds the password for pushes, mode 0600.
// The user is AWS, as with ECR.
func (h *Home) RegistryPassword() string { return h.path("registry-password") }

// AWS holds the stand-in's store and its faults.
func (h *Home) AWS() string { return h.path("aws") }

// Backend holds Pulumi's state.
func (h *Home) Backend() string { return h.path("state") }

// BackendURL is Backend as Pulumi wants it. The file backend would keep a
// second file beside each state and write it in place, so that a kill -9 in
// the wrong moment leaves a state that can't be read ("failed to load
// checkpoint: EOF", seen with 3.259); without that file every write is one
// rename.
func (h *Home) BackendURL() string { return "file://" + h.Backend() + "?metadata=skip" }

// Passphrase is the file that holds the passphrase of the sandbox's stacks.
func (h *Home) Passphrase() string { return h.path("passphrase") }

// Kubeconfig is the administrator's kubeconfig: the cluster's own, or a copy
// of the person's current context.
func (h *Home) Kubeconfig() string { return h.path("kubeconfig") }

// Environ is what a process inside the sandbox sees of it, as NAME=VALUE,
// without PATH.
func (h *Home) Environ() []string {
	return []string{
		Variable + "=" + h.Dir,
		"PULUMI_BACKEND_URL=" + h.BackendURL(),
		"PULUMI_CONFIG_PASSPHRASE_FILE=" + h.Passphrase(),
		"PULUMI_HOME=" + h.pulumi(),
		"PULUMI_SKIP_UPDATE_CHECK=1",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=1",
		"PULUMI_IGNORE_AMBIENT_PLUGINS=",
		"KUBECONFIG=" + h.Kubeconfig(),
	}
}

// CloudVariables are the variables by which a shell reaches a real AWS
// account. They are removed from the sandbox's environment, and the stand-in
// refuses to start beside any of them.
var CloudVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE",
}

// Within returns base as it should be inside the sandbox: its own variables
// set, Bin first on PATH, and no way to a real account.
func (h *Home) Within(base []string) []string {
	own := h.Environ()
	drop := slices.Clone(CloudVariables)
	for _, kv := range own {
		name, _, _ := strings.Cut(kv, "=")
		drop = append(drop, name)
	}
	env := make([]string, 0, len(base)+len(own)+1)
	path := ""
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path = value
		case !slices.Contains(drop, name):
			env = append(env, kv)
		}
	}
	return append(append(env, own...), "PATH="+h.Bin()+string(os.PathListSeparator)+path)
}
