// Package mirror builds the images of programs that others have written and that the
// platform runs: Prometheus, kube-state-metrics, KEDA and VPA. It replaces a mirror of
// upstream's images, because a sandbox cannot reach their registries.
//
// Each program is built from its own module, at the version of the go.mod in the
// folder below this one. Programs whose modules pin different versions of the same
// dependencies have a go.mod each.
package mirror

import (
	"context"
	"fmt"
	"path"

	"github.com/progressive-framework/platform/sandbox/goimage"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// prefix begins the names of the mirror's repositories: `images.mirror` of the stack
// sandbox is ecr:// and this.
const prefix = "mirror/"

// images are all images, in the order in which they are built. The tags are the tags of
// upstream's images, which the stack's program uses.
var images = []goimage.Image{
	{
		Name: "prometheus v3.16.0", Repository: prefix + "prometheus", Tags: []string{"v3.16.0"},
		Module: folder("prometheus"), ImportPath: "github.com/prometheus/prometheus/cmd/prometheus",
		// Without the discovery of other clouds, whose SDKs take minutes to compile
		// (prometheus/prometheus, README, "Building from source").
		Flags:   []string{"-tags", "remove_all_sd,enable_kubernetes_sd"},
		Ldflags: []string{"-X", "github.com/prometheus/common/version.Version=3.16.0"},
	},
	{
		Name: "kube-state-metrics v2.20.0", Repository: prefix + "kube-state-metrics", Tags: []string{"v2.20.0"},
		// Its go.mod has the versions of Prometheus' modules, so that both share compiled
		// packages.
		Module: folder("kube-state-metrics"), ImportPath: "k8s.io/kube-state-metrics/v2",
		Ldflags: []string{"-X", "github.com/prometheus/common/version.Version=2.20.0"},
	},
	kedaImage("keda", "operator"),
	kedaImage("keda-metrics-apiserver", "adapter"),
	vpaImage("recommender"),
	vpaImage("updater"),
	vpaImage("admission-controller"),
}

func kedaImage(repository, command string) goimage.Image {
	const module, version = "github.com/kedacore/keda/v2", "2.20.2"
	return goimage.Image{
		Name: repository + " " + version, Repository: prefix + repository, Tags: []string{version},
		Module: folder("keda"), ImportPath: module + "/cmd/" + command,
		Ldflags: []string{"-X", module + "/version.Version=" + version},
	}
}

// vpaImage is built with the versions of Kubernetes' libraries that Prometheus has, so
// that most of its packages are compiled already.
func vpaImage(command string) goimage.Image {
	const version = "1.8.1"
	return goimage.Image{
		Name: "vpa-" + command + " " + version, Repository: prefix + "vpa-" + command, Tags: []string{version},
		Module: folder("vpa"), ImportPath: "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/" + command,
	}
}

// folder is the folder of a go.mod in the repository.
func folder(name string) string { return path.Join("sandbox/mirror", name) }

// EnsureEmpty pushes an image without files for each image that is missing. It is a
// stand-in for a simulated cluster, whose nodes run no program.
func EnsureEmpty(ctx context.Context, l *layout.Layout) error {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	for _, img := range images {
		if err := b.EnsureEmpty(ctx, img.Repository, img.Tags...); err != nil {
			return fmt.Errorf("image %s: %w", img.Name, err)
		}
	}
	return nil
}

// Missing returns how many of the images are not in the sandbox's registry.
func Missing(ctx context.Context, l *layout.Layout) (int, error) {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return 0, err
	}
	missing, err := b.Missing(ctx, images)
	if err != nil {
		return 0, fmt.Errorf("upstream's programs: %w", err)
	}
	return missing, nil
}

// Program is one of upstream's programs, for `sandbox status`.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// State says whether the image is built, and from which sources.
	State string `json:"state"`
}

// Programs lists the programs of a sandbox's cluster.
func Programs(ctx context.Context, l *layout.Layout) ([]Program, error) {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return nil, err
	}
	var all []Program
	for _, img := range images {
		p := Program{Name: path.Base(img.Repository), Version: img.Tags[0], State: "real, built here"}
		switch missing, err := b.Missing(ctx, []goimage.Image{img}); {
		case l.Cluster == layout.ClusterSimulated:
			p.State = "stand-in, an image without files"
		case err != nil:
			p.State = "unknown, the registry does not answer"
		case missing > 0:
			p.State = "not built yet; run make up"
		}
		all = append(all, p)
	}
	return all, nil
}

// Ensure builds and pushes the images that are missing, each as a step of the log.
// With an empty cache of compiled packages that takes a quarter of an hour.
func Ensure(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	if _, err := b.Ensure(ctx, "mirror", images, log); err != nil {
		return fmt.Errorf("upstream's programs: %w", err)
	}
	return nil
}
