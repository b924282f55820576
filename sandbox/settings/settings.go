// Package settings turns the user's options into the settings of a sandbox. Options come
// from flags and environment variables. A sandbox that exists keeps its settings.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// Options are the user's options for a sandbox. An empty option means the default.
type Options struct {
	Cluster    string // CLUSTER
	Kubeconfig string // KUBECONFIG
	Registry   string // REGISTRY
	Ports      string // SANDBOX_PORTS: registry=5002,apiServer=7443
}

// WithEnv fills empty options from the environment. It reads KUBECONFIG only for an
// existing cluster, because a shell of `make env` has the sandbox's own KUBECONFIG.
func (o Options) WithEnv(getenv func(string) string) Options {
	for variable, value := range map[string]*string{"CLUSTER": &o.Cluster, "REGISTRY": &o.Registry, "SANDBOX_PORTS": &o.Ports} {
		if *value == "" {
			*value = getenv(variable)
		}
	}
	if o.Cluster == layout.ClusterExisting && o.Kubeconfig == "" {
		o.Kubeconfig = getenv("KUBECONFIG")
		if o.Kubeconfig == "" {
			o.Kubeconfig = filepath.Join(getenv("HOME"), ".kube", "config")
		}
	}
	return o
}

// The first and the last node port of Kubernetes' default range
// (--service-node-port-range).
const firstNodePort, lastNodePort = 30000, 32767

// newSettings turns options into the settings of a new sandbox, and reports every
// option that is invalid.
func (o Options) newSettings(project string) (layout.Settings, error) {
	s := layout.Settings{Cluster: o.Cluster, Project: project, Ports: layout.DefaultPorts(), ZoneSeed: rand.Uint64()}
	var errs []error
	switch s.Cluster {
	case "":
		s.Cluster = layout.ClusterLocal
	case layout.ClusterLocal:
	case layout.ClusterSimulated:
		s.Zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}
	case layout.ClusterExisting:
		s.Registry = o.Registry
		if o.Registry != "" {
			if _, _, err := net.SplitHostPort(o.Registry); err != nil {
				errs = append(errs, fmt.Errorf("REGISTRY=%q: want the host and port that the nodes pull from, such as localhost:5001", o.Registry))
			}
		}
		kubeconfig, err := filepath.Abs(o.Kubeconfig)
		if err != nil {
			errs = append(errs, fmt.Errorf("KUBECONFIG=%q: %w", o.Kubeconfig, err))
		}
		s.Kubeconfig = kubeconfig
		if _, err := os.Stat(kubeconfig); err != nil {
			errs = append(errs, fmt.Errorf("CLUSTER=%s needs a kubeconfig: %w: set KUBECONFIG to the path of yours", layout.ClusterExisting, err))
		}
	default:
		errs = append(errs, fmt.Errorf("CLUSTER=%q: choose %s, %s or %s", s.Cluster,
			layout.ClusterLocal, layout.ClusterExisting, layout.ClusterSimulated))
	}
	if o.Registry != "" && s.Cluster != layout.ClusterExisting {
		errs = append(errs, fmt.Errorf("REGISTRY=%q is allowed with CLUSTER=%s only, because any other sandbox has its own registry: remove it", o.Registry, layout.ClusterExisting))
	}
	if err := setPorts(&s.Ports, o.Ports); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// setPorts changes the ports in list, which has the form "name=number,…". The names are the
// names of the fields in settings.json.
func setPorts(ports *layout.Ports, list string) error {
	raw, err := json.Marshal(ports)
	if err != nil {
		return err
	}
	portByName := map[string]int{}
	if err := json.Unmarshal(raw, &portByName); err != nil {
		return err
	}
	var errs []error
	for _, pair := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		name, value, _ := strings.Cut(pair, "=")
		if _, ok := portByName[name]; !ok {
			errs = append(errs, fmt.Errorf("SANDBOX_PORTS: %q is not a port of the sandbox: must be one of %s",
				name, strings.Join(slices.Sorted(maps.Keys(portByName)), ", ")))
			continue
		}
		port, err := strconv.Atoi(value)
		if err != nil || port < 1 || port > 65535 {
			errs = append(errs, fmt.Errorf("SANDBOX_PORTS: %s=%q: want a number from 1 to 65535", name, value))
			continue
		}
		if name == "nodePort" && (port < firstNodePort || port > lastNodePort) {
			errs = append(errs, fmt.Errorf("SANDBOX_PORTS: nodePort=%d: Kubernetes allows %d to %d", port, firstNodePort, lastNodePort))
			continue
		}
		portByName[name] = port
	}
	nameByPort := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(portByName)) {
		if other, ok := nameByPort[portByName[name]]; ok {
			errs = append(errs, fmt.Errorf("SANDBOX_PORTS: %s and %s are both %d", other, name, portByName[name]))
		}
		nameByPort[portByName[name]] = name
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if raw, err = json.Marshal(portByName); err != nil {
		return err
	}
	return json.Unmarshal(raw, ports)
}

// Ensure returns the sandbox in dir, and creates it if there is none. A sandbox
// that exists keeps its settings, because certificates, images and state depend
// on them. An option that differs is refused, unless nothing was started yet.
func Ensure(dir, project string, o Options) (*layout.Layout, error) {
	l, err := layout.Open(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		s, err := o.newSettings(project)
		if err != nil {
			return nil, err
		}
		return layout.Create(dir, s)
	case err != nil:
		return nil, err
	}
	// In a shell of make env, KUBECONFIG is the sandbox's copy of the user's file.
	if o.Kubeconfig == l.Kubeconfig() {
		o.Kubeconfig = l.Settings.Kubeconfig
	}
	// If the user sets no CLUSTER, the current settings stay.
	if o.Cluster == "" {
		o.Cluster = l.Cluster
		if l.Cluster == layout.ClusterExisting && o.Kubeconfig == "" {
			o.Kubeconfig = l.Settings.Kubeconfig
		}
		if o.Registry == "" {
			o.Registry = l.Settings.Registry
		}
	}
	want, err := o.newSettings(project)
	if err != nil {
		return nil, err
	}
	if o.Ports == "" {
		want.Ports = l.Ports
	}
	want.ZoneSeed = l.ZoneSeed
	changes := describeDifferences(l.Settings, want)
	if len(changes) == 0 {
		return l, l.CreateFolders()
	}
	if isFresh(l) {
		return layout.Create(dir, want)
	}
	return nil, fmt.Errorf("the sandbox in %s was created with other settings: %s. Use it with its settings, or create a new one after make down PURGE=1",
		dir, strings.Join(changes, "; "))
}

// isFresh reports whether nothing was started in the sandbox yet.
func isFresh(l *layout.Layout) bool {
	for _, dir := range []string{l.PKI(), l.Backend(), l.Etcd()} {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return false
		}
	}
	return true
}

// describeDifferences returns a text for each setting that differs.
func describeDifferences(current, want layout.Settings) []string {
	var descriptions []string
	for _, setting := range []struct{ name, current, want string }{
		{"CLUSTER", current.Cluster, want.Cluster},
		{"KUBECONFIG", current.Kubeconfig, want.Kubeconfig},
		{"REGISTRY", current.Registry, want.Registry},
		{"project", current.Project, want.Project},
	} {
		if setting.current != setting.want {
			descriptions = append(descriptions, fmt.Sprintf("%s is %q, not %q", setting.name, setting.current, setting.want))
		}
	}
	wantPorts := want.Ports.All()
	for i, p := range current.Ports.All() {
		if p.Port != wantPorts[i].Port {
			descriptions = append(descriptions, fmt.Sprintf("the port of the %s is %d, not %d", p.Name, p.Port, wantPorts[i].Port))
		}
	}
	return descriptions
}
