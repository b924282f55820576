package localcluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeletv1 "k8s.io/kubelet/config/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// The names of the configuration files of a local cluster's node.
const (
	containerdConfig = "containerd.toml"
	kubeletConfig    = "kubelet.yaml"
	registryHosts    = "registries"  // a folder that has a subfolder for each registry
	networkConfig    = "cni"         // a folder with one file
	networkName      = "progressive" // the name of the pods' network
)

// PauseImage is the image of the container that keeps a pod's namespaces. It
// must be in the registry before the first pod can start.
func PauseImage(l *layout.Layout) string { return l.RegistryAddress() + "/pause:sandbox" }

// configFile is one file that a component of the node reads.
type configFile struct {
	path    string
	content []byte
}

// renderNodeConfig renders the configuration of a local cluster's node.
func renderNodeConfig(l *layout.Layout, pluginFolder string) ([]configFile, error) {
	paths := nodePaths{l}
	containerd, err := renderContainerd(l, pluginFolder)
	if err != nil {
		return nil, fmt.Errorf("containerd configuration: %w", err)
	}
	kubelet, err := renderKubelet(l)
	if err != nil {
		return nil, fmt.Errorf("kubelet configuration: %w", err)
	}
	network, err := renderNetwork(l)
	if err != nil {
		return nil, fmt.Errorf("network configuration: %w", err)
	}
	return []configFile{
		{paths.config(containerdConfig), containerd},
		{paths.config(kubeletConfig), kubelet},
		{filepath.Join(paths.config(networkConfig), "10-"+networkName+".conflist"), network},
		{filepath.Join(paths.config(registryHosts), l.RegistryAddress(), "hosts.toml"), renderRegistryHosts(l)},
	}, nil
}

// containerdTemplate is the configuration of containerd 1.6 and 1.7.
//
// All paths are in folders of the sandbox. So this containerd does not conflict with another
// containerd on the machine, and leaves no residue.
var containerdTemplate = template.Must(template.New("containerd").Funcs(template.FuncMap{"quote": quote}).Parse(
	`version = 2
root = {{quote .Root}}
state = {{quote .State}}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]

[grpc]
  address = {{quote .Socket}}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {{quote .Pause}}
  # A machine may lack CAP_SYS_RESOURCE, which is needed to lower an OOM score.
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = {{quote .Plugins}}
  conf_dir = {{quote .Network}}

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = {{quote .Registries}}

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = {{quote .Runc}}
`))

// quote returns s as a basic string of TOML. JSON's escapes are a subset of TOML's.
func quote(s string) (string, error) {
	raw, err := json.Marshal(s)
	return string(raw), err
}

func renderContainerd(l *layout.Layout, pluginFolder string) ([]byte, error) {
	paths := nodePaths{l}
	var out strings.Builder
	err := containerdTemplate.Execute(&out, map[string]string{
		"Root": paths.containerdRoot(), "State": paths.containerdState(), "Socket": paths.containerdSocket(),
		"Pause": PauseImage(l), "Plugins": pluginFolder, "Network": paths.config(networkConfig),
		"Registries": paths.config(registryHosts), "Runc": paths.containerdState() + "/runc",
	})
	return []byte(out.String()), err
}

// renderRegistryHosts renders containerd's hosts.toml. It makes containerd use plain HTTP
// for the registry.
func renderRegistryHosts(l *layout.Layout) []byte {
	url := "http://" + l.RegistryAddress()
	return fmt.Appendf(nil, "server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url, url)
}

// renderNetwork renders the CNI configuration: each pod has a routed
// point-to-point link and an address of PodCIDR. Traffic that leaves the machine
// gets the machine's address.
func renderNetwork(l *layout.Layout) ([]byte, error) {
	return json.MarshalIndent(map[string]any{
		"cniVersion": "0.4.0",
		"name":       networkName,
		"plugins": []map[string]any{
			{
				"type": "ptp", "ipMasq": true,
				"ipam": map[string]any{
					"type": "host-local", "dataDir": filepath.Join(nodePaths{l}.runDir(), "addresses"),
					"ranges": [][]map[string]string{{{"subnet": PodCIDR}}},
					"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
				},
			},
			// The plugin firewall allows the traffic of pods even if the machine's iptables
			// policy for forwarded packets is DROP. Docker sets that policy.
			{"type": "firewall", "backend": "iptables"},
			{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
}

func renderKubelet(l *layout.Layout) ([]byte, error) {
	paths, p := nodePaths{l}, pki{dir: l.PKI()}
	return yaml.Marshal(&kubeletv1.KubeletConfiguration{
		TypeMeta:          metav1.TypeMeta{APIVersion: kubeletv1.SchemeGroupVersion.String(), Kind: "KubeletConfiguration"},
		Address:           NodeAddress,
		Port:              int32(l.Ports.Kubelet),
		HealthzPort:       ptr(int32(l.Ports.KubeletHealth)),
		TLSCertFile:       p.cert("kubelet"),
		TLSPrivateKeyFile: p.key("kubelet"),
		Authentication: kubeletv1.KubeletAuthentication{
			Anonymous: kubeletv1.KubeletAnonymousAuthentication{Enabled: ptr(false)},
			Webhook:   kubeletv1.KubeletWebhookAuthentication{Enabled: ptr(true)},
			X509:      kubeletv1.KubeletX509Authentication{ClientCAFile: p.cert("ca")},
		},
		Authorization:            kubeletv1.KubeletAuthorization{Mode: kubeletv1.KubeletAuthorizationModeWebhook},
		ClusterDomain:            ClusterDomain,
		ClusterDNS:               []string{DNSAddress},
		ContainerRuntimeEndpoint: "unix://" + paths.containerdSocket(),
		CgroupDriver:             "cgroupfs",
		CgroupRoot:               paths.cgroup(),
		FailCgroupV1:             ptr(false),
		FailSwapOn:               ptr(false),
		PodLogsDir:               paths.podLogsDir(),
		MaxPods:                  110, // the kubelet's default
		// A developer's disk is often nearly full. With the default percentages the kubelet
		// would evict every pod.
		EvictionHard: map[string]string{
			"memory.available": "100Mi",
			"nodefs.available": "500Mi", "nodefs.inodesFree": "1%",
			"imagefs.available": "500Mi", "imagefs.inodesFree": "1%",
		},
		// On a disk that is nearly full, the kubelet would remove every unused image. With
		// these percentages it removes only images that were not used for seven days.
		ImageGCHighThresholdPercent: ptr(int32(100)),
		ImageGCLowThresholdPercent:  ptr(int32(99)),
		ImageMaximumGCAge:           metav1.Duration{Duration: 7 * 24 * time.Hour},
		// The registry is on this machine, so pulls need no rate limit. 0 means no limit.
		SerializeImagePulls: ptr(false),
		RegistryPullQPS:     ptr(int32(0)),
		// A rollout of many pods must not wait for the client's rate limit.
		EventRecordQPS: ptr(int32(50)),
		// The node is the user's machine, so no resources of it are reserved.
		EnforceNodeAllocatable: []string{"pods"},
		RegisterWithTaints:     []corev1.Taint{},
	})
}

func ptr[T any](v T) *T { return &v }

// pluginFolders are the folders in which CNI plugins are installed: by the packages of Debian
// and Ubuntu, by the release archive of the CNI project, and by the package of Fedora.
var pluginFolders = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// networkPlugins are the CNI plugins of the node's network.
var networkPlugins = []string{"ptp", "host-local", "loopback", "firewall", "portmap"}

var errNoPlugins = errors.New("no folder contains the CNI plugins " + strings.Join(networkPlugins, ", "))

// findPluginFolder returns the first folder that contains all networkPlugins.
func findPluginFolder(folders []string) (string, error) {
nextFolder:
	for _, dir := range folders {
		for _, name := range networkPlugins {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				continue nextFolder
			}
		}
		return dir, nil
	}
	return "", errNoPlugins
}
