// Package mirror builds the images of other projects' programs that the platform runs:
// Prometheus, kube-state-metrics, KEDA and VPA. On AWS the stack pulls the projects' own
// images through a mirror. A sandbox cannot reach their registries.
//
// Each program is built from its own module. A go.mod in a subfolder pins the version.
// Programs with modules that need different versions of the same dependencies have
// different go.mod files.
package mirror

import (
	"context"
	"fmt"
	"path"

	"github.com/progressive-framework/platform/sandbox/goimage"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// repositoryPrefix is the beginning of the names of the mirror's repositories. In the stack sandbox,
// the configuration key images.mirror has the value "ecr://mirror".
const repositoryPrefix = "mirror/"

// images are all images, in the order in which they are built. Their tags are those of the
// projects' own images, because the stack's program uses these tags.
var images = []goimage.Image{
	{
		Name: "prometheus v3.16.0", Repository: repositoryPrefix + "prometheus", Tags: []string{"v3.16.0"},
		Module: moduleFolder("prometheus"), ImportPath: "github.com/prometheus/prometheus/cmd/prometheus",
		// The tags leave out service discovery in clouds, because the SDKs of the clouds take
		// minutes to compile (prometheus/prometheus, README, "Building from source").
		Flags:   []string{"-tags", "remove_all_sd,enable_kubernetes_sd"},
		Ldflags: []string{"-X", "github.com/prometheus/common/version.Version=3.16.0"},
	},
	{
		Name: "kube-state-metrics v2.20.0", Repository: repositoryPrefix + "kube-state-metrics", Tags: []string{"v2.20.0"},
		// This go.mod requires the same versions as the go.mod of Prometheus, so that both
		// programs share compiled packages.
		Module: moduleFolder("kube-state-metrics"), ImportPath: "k8s.io/kube-state-metrics/v2",
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
		Name: repository + " " + version, Repository: repositoryPrefix + repository, Tags: []string{version},
		Module: moduleFolder("keda"), ImportPath: module + "/cmd/" + command,
		Ldflags: []string{"-X", module + "/version.Version=" + version},
	}
}

// vpaImage returns the image of one command of VPA. VPA's go.mod in this package requires the
// same versions of Kubernetes' libraries as the go.mod of Prometheus, so that both programs
// share compiled packages.
func vpaImage(command string) goimage.Image {
	const version = "1.8.1"
	return goimage.Image{
		Name: "vpa-" + command + " " + version, Repository: repositoryPrefix + "vpa-" + command, Tags: []string{version},
		Module: moduleFolder("vpa"), ImportPath: "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/" + command,
	}
}

// moduleFolder returns the folder of a go.mod, relative to the repository.
func moduleFolder(name string) string { return path.Join("sandbox/mirror", name) }

// awsTags are the tags of the images that only stacks on AWS run, by their repository in the
// mirror. The sandbox does not build them.
var awsTags = map[string][]string{
	"alertmanager":                 {"v0.33.0"},
	"aws-for-fluent-bit":           {"3.4.15"},
	"aws-node-termination-handler": {"v1.25.3"},
	"cluster-autoscaler":           {"v1.33.5", "v1.34.4", "v1.35.1", "v1.36.1"},
}

// EnsureEmpty pushes an image without files in place of each missing image, also in place of the
// images that only stacks on AWS run. It is for a simulated cluster, because simulated nodes run no
// program.
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
	for repository, tags := range awsTags {
		for _, tag := range tags { // one call for each tag, because each tag may have its own image
			if err := b.EnsureEmpty(ctx, repositoryPrefix+repository, tag); err != nil {
				return fmt.Errorf("image %s:%s: %w", repository, tag, err)
			}
		}
	}
	return nil
}

// CountMissing returns how many of the images are not in the sandbox's registry.
func CountMissing(ctx context.Context, l *layout.Layout) (int, error) {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return 0, err
	}
	missing, err := b.CountMissing(ctx, images)
	if err != nil {
		return 0, fmt.Errorf("images of other projects: %w", err)
	}
	return missing, nil
}

// Program is a program of another project, in the output of `sandbox status`.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// State reports whether the image is built, and from which sources.
	State string `json:"state"`
}

// Programs returns the programs of other projects in a sandbox's cluster.
func Programs(ctx context.Context, l *layout.Layout) ([]Program, error) {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return nil, err
	}
	var programs []Program
	for _, img := range images {
		p := Program{Name: path.Base(img.Repository), Version: img.Tags[0], State: "real, built here"}
		switch missing, err := b.CountMissing(ctx, []goimage.Image{img}); {
		case l.Cluster == layout.ClusterSimulated:
			p.State = "stand-in, an image without files"
		case err != nil:
			p.State = "unknown, the registry does not answer"
		case missing > 0:
			p.State = "not built yet; run make up"
		}
		programs = append(programs, p)
	}
	return programs, nil
}

// Ensure builds and pushes the missing images, each as a step of the log. With an empty
// build cache that takes a quarter of an hour.
func Ensure(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	b, err := goimage.NewBuilder(l)
	if err != nil {
		return err
	}
	if _, err := b.Ensure(ctx, "mirror", images, log); err != nil {
		return fmt.Errorf("images of other projects: %w", err)
	}
	return nil
}
