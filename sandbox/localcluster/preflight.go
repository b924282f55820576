package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// requirement is a program that a local cluster needs, with its Debian package.
type requirement struct{ program, debianPackage string }

var requirements = []requirement{
	{containerdPath, "containerd"},
	{"containerd-shim-runc-v2", "containerd"},
	{"runc", "runc"},
	{"iptables", "iptables"},
	{"iptables-save", "iptables"},
	{"iptables-restore", "iptables"},
	{"mount", "mount"},
}

// pluginsPackage is the Debian package of the CNI plugins.
const pluginsPackage = "containernetworking-plugins"

// MissingError is returned if the machine lacks programs that a local cluster
// needs.
type MissingError struct {
	Programs []string
	Packages []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("a local cluster needs %s; install with: apt-get install --no-install-recommends %s",
		strings.Join(e.Programs, ", "), strings.Join(e.Packages, " "))
}

// Preflight returns an error with the problems for which Start would fail. It does not find
// every such problem, because it does not change the machine.
func Preflight(l *layout.Layout) error {
	errs := []error{preflight.Check(l, requiredPorts(l))}
	if l.Cluster == layout.ClusterLocal {
		errs = append(errs, checkPrograms(exec.LookPath, pluginFolders))
	}
	return errors.Join(errs...)
}

// claimMachine returns an error if the cluster conflicts with another cluster on this machine.
// If another sandbox has left residue and none of its processes runs, claimMachine removes the
// residue.
func claimMachine(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	switch l.Cluster {
	case layout.ClusterLocal:
		if os.Geteuid() != 0 {
			return preflight.ErrNotRoot
		}
		if err := claimNode(ctx, l, log); err != nil {
			return err
		}
	case layout.ClusterSimulated, layout.ClusterExisting:
	default:
		return fmt.Errorf("unknown kind of cluster %q: it is one of %s, %s, %s",
			l.Cluster, layout.ClusterLocal, layout.ClusterSimulated, layout.ClusterExisting)
	}
	for _, c := range Components {
		isExpected := slices.ContainsFunc(ComponentsFor(l), func(expected Component) bool { return expected.Name == c.Name })
		if !isExpected && process.Alive(l, c.Name) {
			return fmt.Errorf("%s of this sandbox runs, but a cluster of kind %q has no such component: "+
				"the settings changed since the start; run `make down` first", c.Name, l.Cluster)
		}
	}
	return nil
}

// checkPrograms returns a *MissingError if a requirement or a CNI plugin is not installed. folders
// are the folders in which it looks for the plugins.
func checkPrograms(lookPath func(string) (string, error), folders []string) error {
	var missing MissingError
	add := func(program, debianPackage string) {
		missing.Programs = append(missing.Programs, program)
		if n := len(missing.Packages); n == 0 || missing.Packages[n-1] != debianPackage {
			missing.Packages = append(missing.Packages, debianPackage)
		}
	}
	for _, r := range requirements {
		if _, err := lookPath(r.program); err != nil {
			add(r.program, r.debianPackage)
		}
	}
	if _, err := findPluginFolder(folders); err != nil {
		add("CNI plugins ("+strings.Join(networkPlugins, ", ")+")", pluginsPackage)
	}
	if len(missing.Programs) == 0 {
		return nil
	}
	return &missing
}

// requiredPorts returns the ports that must be free: the ports of all components that do not
// run. In a local cluster, the node port is a port of the component kube-proxy. In an existing
// cluster, the process Forward uses the node port, but is not a component. So requiredPorts
// adds that port.
func requiredPorts(l *layout.Layout) []layout.NamedPort {
	var required []layout.NamedPort
	for _, c := range ComponentsFor(l) {
		if c.Ports != nil && !process.Alive(l, c.Name) {
			required = append(required, c.Ports(l.Ports)...)
		}
	}
	if l.Cluster == layout.ClusterExisting && !process.Alive(l, Forward) {
		required = append(required, layout.NamedPort{Name: "front door", Port: l.Ports.NodePort})
	}
	return required
}
