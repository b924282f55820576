package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// requirement is a program of the machine that a local cluster runs, and the
// Debian package that holds it.
type requirement struct{ program, debian string }

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

// MissingError names the programs that a local cluster needs and the machine
// lacks.
type MissingError struct {
	Programs []string
	Packages []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("a local cluster needs %s; install with: apt-get install --no-install-recommends %s",
		strings.Join(e.Programs, ", "), strings.Join(e.Packages, " "))
}

// Preflight finds all that would make Start fail, of what can be seen without
// changing anything.
func Preflight(h *home.Home) error {
	errs := []error{preflight.Check(h, freePorts(h))}
	if h.Cluster == home.ClusterLocal {
		errs = append(errs, missing(exec.LookPath, pluginFolders))
	}
	return errors.Join(errs...)
}

// claim makes sure that nothing else is in the way of the cluster, and puts back
// what a dead sandbox left of the node that the machine was.
func claim(ctx context.Context, h *home.Home, log *progress.Log) error {
	switch h.Cluster {
	case home.ClusterLocal:
		if os.Geteuid() != 0 {
			return preflight.ErrNotRoot
		}
		if err := ownNode(ctx, h, log); err != nil {
			return err
		}
	case home.ClusterSimulated, home.ClusterExisting:
	default:
		return fmt.Errorf("unknown kind of cluster %q: it is one of %s, %s, %s",
			h.Cluster, home.ClusterLocal, home.ClusterSimulated, home.ClusterExisting)
	}
	for _, c := range Components {
		in := slices.ContainsFunc(In(h), func(o Component) bool { return o.Name == c.Name })
		if !in && process.Alive(h, c.Name) {
			return fmt.Errorf("%s of this sandbox runs, but is no part of a cluster of kind %q: "+
				"the settings changed since the start; run `make down` first", c.Name, h.Cluster)
		}
	}
	return nil
}

// missing looks for every requirement and names all that are not there.
func missing(look func(string) (string, error), plugins []string) error {
	var e MissingError
	add := func(program, debian string) {
		e.Programs = append(e.Programs, program)
		if n := len(e.Packages); n == 0 || e.Packages[n-1] != debian {
			e.Packages = append(e.Packages, debian)
		}
	}
	for _, r := range requirements {
		if _, err := look(r.program); err != nil {
			add(r.program, r.debian)
		}
	}
	if _, err := findPlugins(plugins); err != nil {
		add("CNI plugins ("+strings.Join(networkPlugins, ", ")+")", pluginsPackage)
	}
	if len(e.Programs) == 0 {
		return nil
	}
	return &e
}

// freePorts are the ports that must be free: those of the components that do
// not run, and that of the front door, which a cluster of our own gives out.
func freePorts(h *home.Home) []home.NamedPort {
	var free []home.NamedPort
	for _, c := range In(h) {
		if c.Ports != nil && !process.Alive(h, c.Name) {
			free = append(free, c.Ports(h.Ports)...)
		}
	}
	if h.Cluster == home.ClusterExisting && !process.Alive(h, Forward) {
		free = append(free, home.NamedPort{Name: "front door", Port: h.Ports.NodePort})
	}
	return free
}
