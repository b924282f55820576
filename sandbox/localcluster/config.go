package cluster

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

	"github.com/progressive-framework/platform/sandbox/home"
)

// The names of the configuration files of a local cluster's node.
const (
	containerdConfig = "containerd.toml"
	kubeletConfig    = "kubelet.yaml"
	registryHosts    = "registries" // a folder for each registry
	networkConfig    = "cni"        // a folder with one file
	networkName      = "progressive"
)

// PauseImage is the image that holds a pod's namespaces open. The cluster needs
// it in the registry before the first pod can start.
func PauseImage(h *home.Home) string { return h.RegistryAddress() + "/pause:sandbox" }

// configFile is one file that a component of the node reads.
type configFile struct {
	path    string
	content []byte
}

// nodeConfig renders the configuration of a local cluster's node.
func nodeConfig(h *home.Home, plugins string) ([]configFile, error) {
	l := layout{h}
	containerd, err := renderContainerd(h, plugins)
	if err != nil {
		return nil, fmt.Errorf("containerd configuration: %w", err)
	}
	kubelet, err := renderKubelet(h)
	if err != nil {
		return nil, fmt.Errorf("kubelet configuration: %w", err)
	}
	network, err := renderNetwork(h)
	if err != nil {
		return nil, fmt.Errorf("network configuration: %w", err)
	}
	return []configFile{
		{l.config(containerdConfig), containerd},
		{l.config(kubeletConfig), kubelet},
		{filepath.Join(l.config(networkConfig), "10-"+networkName+".conflist"), network},
		{filepath.Join(l.config(registryHosts), h.RegistryAddress(), "hosts.toml"), renderRegistryHosts(h)},
	}, nil
}

// containerdTemplate is the configuration of containerd 1.6 and 1.7.
//
// Everything that containerd would keep in a place of the machine's own is led
// into the sandbox's, so that it can stand beside another containerd and leaves
// nothing behind.
var containerdTemplate = template.Must(template.New("containerd").Funcs(template.FuncMap{"quote": quote}).Parse(
	`version = 2
root = {{quote .Root}}
state = {{quote .State}}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]

[grpc]
  address = {{quote .Socket}}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {{quote .Pause}}
  # A machine may lack CAP_SYS_RESOURCE, without which no score can be lowered.
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

// quote writes a TOML basic string; JSON's escapes are a subset of TOML's.
func quote(s string) (string, error) {
	raw, err := json.Marshal(s)
	return string(raw), err
}

func renderContainerd(h *home.Home, plugins string) ([]byte, error) {
	l := layout{h}
	var out strings.Builder
	err := containerdTemplate.Execute(&out, map[string]string{
		"Root": l.containerdRoot(), "State": l.containerdState(), "Socket": l.containerdSocket(),
		"Pause": PauseImage(h), "Plugins": plugins, "Network": l.config(networkConfig),
		"Registries": l.config(registryHosts), "Runc": l.containerdState() + "/runc",
	})
	return []byte(out.String()), err
}

// renderRegistryHosts says that the registry speaks plain HTTP.
func renderRegistryHosts(h *home.Home) []byte {
	url := "http://" + h.RegistryAddress()
	return fmt.Appendf(nil, "server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url, url)
}

// renderNetwork gives each pod a routed link of its own, an address out of
// PodCIDR and, beyond the machine, the machine's own address.
func renderNetwork(h *home.Home) ([]byte, error) {
	return json.MarshalIndent(map[string]any{
		"cniVersion": "0.4.0",
		"name":       networkName,
		"plugins": []map[string]any{
			{
				"type": "ptp", "ipMasq": true,
				"ipam": map[string]any{
					"type": "host-local", "dataDir": filepath.Join(layout{h}.run(), "addresses"),
					"ranges": [][]map[string]string{{{"subnet": PodCIDR}}},
					"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
				},
			},
			// Lets pods through where the machine forwards nothing by default, as
			// one with Docker does.
			{"type": "firewall", "backend": "iptables"},
			{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
}

func renderKubelet(h *home.Home) ([]byte, error) {
	l, p := layout{h}, pki{dir: h.PKI()}
	return yaml.Marshal(&kubeletv1.KubeletConfiguration{
		TypeMeta:          metav1.TypeMeta{APIVersion: kubeletv1.SchemeGroupVersion.String(), Kind: "KubeletConfiguration"},
		Address:           NodeAddress,
		Port:              int32(h.Ports.Kubelet),
		HealthzPort:       ptr(int32(h.Ports.KubeletHealth)),
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
		ContainerRuntimeEndpoint: "unix://" + l.containerdSocket(),
		CgroupDriver:             "cgroupfs",
		CgroupRoot:               l.cgroup(),
		FailCgroupV1:             ptr(false),
		FailSwapOn:               ptr(false),
		PodLogsDir:               l.podLogs(),
		MaxPods:                  110,
		// A developer's disk is often nearly full, and the percentages that are
		// right for a server would evict every pod there.
		EvictionHard: map[string]string{
			"memory.available": "100Mi",
			"nodefs.available": "500Mi", "nodefs.inodesFree": "1%",
			"imagefs.available": "500Mi", "imagefs.inodesFree": "1%",
		},
		// Images are collected by age, not by how full the disk is.
		ImageGCHighThresholdPercent: ptr(int32(100)),
		ImageGCLowThresholdPercent:  ptr(int32(99)),
		ImageMaximumGCAge:           metav1.Duration{Duration: 7 * 24 * time.Hour},
		// All images come over loopback.
		SerializeImagePulls: ptr(false),
		RegistryPullQPS:     ptr(int32(0)),
		// A rollout of many pods must not wait for the client's own throttle.
		EventRecordQPS: ptr(int32(50)),
		// The node is a person's machine; what it reserves for itself is theirs to say.
		EnforceNodeAllocatable: []string{"pods"},
		RegisterWithTaints:     []corev1.Taint{},
	})
}

func ptr[T any](v T) *T { return &v }

// pluginFolders are where distributions put the CNI plugins: Debian and Ubuntu,
// upstream's archive, Fedora.
var pluginFolders = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// networkPlugins are those that the node's network is made of.
var networkPlugins = []string{"ptp", "host-local", "loopback", "firewall", "portmap"}

var errNoPlugins = errors.New("no folder holds the CNI plugins " + strings.Join(networkPlugins, ", "))

// findPlugins returns the first folder that holds all of them.
func findPlugins(folders []string) (string, error) {
folders:
	for _, dir := range folders {
		for _, name := range networkPlugins {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				continue folders
			}
		}
		return dir, nil
	}
	return "", errNoPlugins
}
