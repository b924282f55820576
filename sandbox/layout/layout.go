// Package layout defines the paths, the ports and the environment variables of one sandbox.
// Pulumi, kubectl and the stand-ins find each other by these values. The package starts no
// process.
//
// A sandbox writes into one folder only, so that removing the folder removes the sandbox.
// Several sandboxes can exist at the same time if their folders and ports differ: for example
// the sandbox of `make up` and the sandboxes of the engine tests.
package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is the environment variable with the path of the sandbox's folder.
// The stand-ins refuse to start without it, so that they never run outside a
// sandbox.
const Variable = "PROGRESSIVE_SANDBOX"

// The kinds of cluster that a sandbox can use.
const (
	ClusterLocal     = "local"     // the sandbox runs the control plane, kubelet and containerd; needs root
	ClusterSimulated = "simulated" // the sandbox runs the control plane, and kwok simulates nodes; needs no root
	ClusterExisting  = "existing"  // the cluster of the user's own kubeconfig; needs no root
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
	NodePort          int `json:"nodePort"` // the platform's front service
}

// DefaultPorts returns the ports of the sandbox of `make up`.
func DefaultPorts() Ports {
	return Ports{
		APIServer: 6443, EtcdClient: 2379, EtcdPeer: 2380,
		ControllerManager: 10257, Scheduler: 10259,
		Kubelet: 10250, KubeletHealth: 10248, ProxyHealth: 10256, ProxyMetrics: 10249,
		Volumes: 10261, Registry: 5001, NodePort: 30080,
	}
}

// All returns the ports with the names of their listeners.
func (p Ports) All() []NamedPort {
	return []NamedPort{
		{"API server", p.APIServer}, {"etcd client", p.EtcdClient}, {"etcd peer", p.EtcdPeer},
		{"controller manager", p.ControllerManager}, {"scheduler", p.Scheduler},
		{"kubelet", p.Kubelet}, {"kubelet health", p.KubeletHealth},
		{"kube-proxy health", p.ProxyHealth}, {"kube-proxy metrics", p.ProxyMetrics},
		{"volumes health", p.Volumes}, {"registry", p.Registry}, {"node port", p.NodePort},
	}
}

// NamedPort is a port with the name of its listener.
type NamedPort struct {
	Name string
	Port int
}

// Settings are chosen when a sandbox is created. They are stored in
// settings.json in its folder and do not change while the sandbox exists.
type Settings struct {
	// Cluster is one of ClusterLocal, ClusterSimulated and ClusterExisting.
	Cluster string `json:"cluster"`
	// Kubeconfig is the user's own file; only for ClusterExisting.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Project is the folder that holds Pulumi.yaml.
	Project string `json:"project"`
	// Registry is the host and port of the user's own registry, from which the
	// nodes of their cluster pull; only for ClusterExisting.
	Registry string `json:"registry,omitempty"`
	Ports    Ports  `json:"ports"`
	// Zones are the availability zones that simulated nodes are spread over.
	Zones []string `json:"zones,omitempty"`
	// ZoneSeed decides which zone id (such as use1-az1) belongs to which zone (such as
	// us-east-1a). In AWS these pairs differ between accounts. 0 means the pairs of the
	// examples in AWS's documentation. Sandboxes that are older than this setting have 0.
	ZoneSeed uint64 `json:"zoneSeed,omitempty"`
	// OrderSeed decides how many milliseconds the stand-in waits in each change. So resources
	// that do not depend on each other change in a random order. 0 means no waiting. The engine
	// tests set OrderSeed.
	OrderSeed uint64 `json:"orderSeed,omitempty"`
}

// Layout is one sandbox's folder with its settings.
type Layout struct {
	// Dir is the absolute path of the folder.
	Dir string
	Settings
}

// ErrNotSandbox is returned by FromEnv outside a sandbox's environment.
var ErrNotSandbox = errors.New(Variable + ` is not set: this shell is not in a sandbox; run eval "$(make env)" first`)

// FromEnv opens the sandbox of the folder in the environment variable Variable.
func FromEnv() (*Layout, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return nil, ErrNotSandbox
	}
	return Open(dir)
}

// Open reads the settings of the sandbox in dir.
func Open(dir string) (*Layout, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox folder %q: %w", dir, err)
	}
	// If the settings of an older sandbox lack a port, the port has its default.
	l := &Layout{Dir: abs, Settings: Settings{Ports: DefaultPorts()}}
	raw, err := os.ReadFile(l.path("settings.json"))
	if err != nil {
		return nil, fmt.Errorf("no sandbox in %s: %w", abs, err)
	}
	if err := json.Unmarshal(raw, &l.Settings); err != nil {
		return nil, fmt.Errorf("%s: %w", l.path("settings.json"), err)
	}
	return l, nil
}

// CreateFolders creates the folders of the sandbox that do not exist. An older
// sandbox may lack a folder that newer ones have.
func (l *Layout) CreateFolders() error {
	for _, d := range []string{l.Dir, l.Bin(), l.Logs(), l.Run(), l.PKI(), l.Backend(), l.AWS()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("sandbox folder: %w", err)
		}
	}
	return l.createPulumiFolder()
}

// Create creates the folder and writes the settings. If the folder already holds
// a sandbox, its settings are replaced.
func Create(dir string, s Settings) (*Layout, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("sandbox folder %q: %w", dir, err)
	}
	l := &Layout{Dir: abs, Settings: s}
	if err := l.CreateFolders(); err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(l.path("settings.json"), append(raw, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("sandbox settings: %w", err)
	}
	return l, nil
}

func (l *Layout) path(parts ...string) string {
	return filepath.Join(append([]string{l.Dir}, parts...)...)
}

// Bin holds the executables that come first on the sandbox's PATH.
func (l *Layout) Bin() string { return l.path("bin") }

// ShellBin is the folder before Bin on the PATH of a user's shell.
func (l *Layout) ShellBin() string { return l.path("shell", "bin") }

// Logs holds one file for each process, NAME.log.
func (l *Layout) Logs() string { return l.path("logs") }

// Run holds the process records and sockets.
func (l *Layout) Run() string { return l.path("run") }

// PKI holds the cluster's certificates and keys.
func (l *Layout) PKI() string { return l.path("pki") }

// Etcd holds etcd's data, which are the API server's objects.
func (l *Layout) Etcd() string { return l.path("etcd") }

// RegistryDir holds the blobs and manifests of the sandbox's OCI registry.
func (l *Layout) RegistryDir() string { return l.path("registry") }

// RegistryAddress is the host and port of the registry of the sandbox's images.
func (l *Layout) RegistryAddress() string {
	if l.Settings.Registry != "" {
		return l.Settings.Registry
	}
	return fmt.Sprintf("127.0.0.1:%d", l.Ports.Registry)
}

// RegistryPassword is the file that holds the password for pushes, mode 0600. The user name is
// "AWS", as in ECR.
func (l *Layout) RegistryPassword() string { return l.path("registry-password") }

// AWS holds the store of the AWS stand-in, and the faults that it injects.
func (l *Layout) AWS() string { return l.path("aws") }

// Backend holds Pulumi's state.
func (l *Layout) Backend() string { return l.path("state") }

// BackendURL is the URL of Backend for Pulumi. By default Pulumi's file backend also writes a
// metadata file for each state, without a rename. A kill -9 during that write leaves a state
// that can't be read ("failed to load checkpoint: EOF", seen with Pulumi 3.259). Without the
// metadata file every write ends with a rename, so a kill leaves the old or the new state.
func (l *Layout) BackendURL() string { return "file://" + l.Backend() + "?metadata=skip" }

// Passphrase is the file that holds the passphrase of the sandbox's stacks.
func (l *Layout) Passphrase() string { return l.path("passphrase") }

// Kubeconfig is the administrator's kubeconfig. For an existing cluster it is a copy of
// the current context of the user's file.
func (l *Layout) Kubeconfig() string { return l.path("kubeconfig") }

// PolicyPackVariable is the variable with the path of the policy pack. Pulumi evaluates
// the pack in every preview and up.
const PolicyPackVariable = "PULUMI_OPTION_POLICY_PACK"

// WithoutPolicyPack returns env without PolicyPackVariable. It is for commands that must
// work although the stack violates a policy.
func WithoutPolicyPack(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, PolicyPackVariable+"=") })
}

// PolicyPack is the policy pack's executable, which the bootstrap builds.
func (l *Layout) PolicyPack() string { return filepath.Join(l.Project, "bin", "policy") }

// Environ returns the variables that every process in the sandbox gets, as
// NAME=VALUE, without PATH.
func (l *Layout) Environ() []string {
	return []string{
		Variable + "=" + l.Dir,
		"PULUMI_BACKEND_URL=" + l.BackendURL(),
		"PULUMI_CONFIG_PASSPHRASE_FILE=" + l.Passphrase(),
		"PULUMI_HOME=" + l.pulumiFolder(),
		"PULUMI_SKIP_UPDATE_CHECK=1",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=1",
		"PULUMI_IGNORE_AMBIENT_PLUGINS=",
		"KUBECONFIG=" + l.Kubeconfig(),
		// Pulumi reads the flag --policy-pack from this variable. The path is absolute,
		// because Pulumi resolves a relative one in the program's folder.
		PolicyPackVariable + "=" + l.PolicyPack(),
	}
}

// CloudVariables are the variables that give a shell access to a real AWS or
// Pulumi account. They are removed from the sandbox's environment, and the
// stand-in refuses to start if one of them is set.
var CloudVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE",
}

// ExtendEnv returns the environment base with the changes for the sandbox. The variables
// of Environ are set, Bin is first on PATH, and CloudVariables are removed.
func (l *Layout) ExtendEnv(base []string) []string {
	added := l.Environ()
	removed := slices.Clone(CloudVariables)
	for _, kv := range added {
		name, _, _ := strings.Cut(kv, "=")
		removed = append(removed, name)
	}
	env := make([]string, 0, len(base)+len(added)+1)
	path := ""
	for _, kv := range base {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path = value
		case !slices.Contains(removed, name):
			env = append(env, kv)
		}
	}
	return append(append(env, added...), "PATH="+l.Bin()+string(os.PathListSeparator)+path)
}
