package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/preflight"
	"github.com/progressive-framework/platform/sandbox/process"
	"github.com/progressive-framework/platform/sandbox/progress"
)

// settle is how long the kernel may take to forget what belonged to processes
// that have ended: the devices of a network namespace go some time after it.
const settle = 15 * time.Second

// Stop ends the cluster of a sandbox and puts the machine back as it was: no
// process, mount, network device, rule or cgroup of it remains. It looks by
// itself, and returns an error that lists what it could not remove. The data
// stay (objects, volumes, images): the next Start goes on with them.
//
// It can be called at any time, also where some or all of the processes were
// killed, or where the settings changed since the start. The caller holds the
// sandbox's lock.
func Stop(ctx context.Context, h *home.Home, log *progress.Log) error {
	log.Expect(1)
	return log.Step("cluster: stop", func(detail func(string)) error { return stopAll(ctx, h, log, detail) })
}

func stopAll(ctx context.Context, h *home.Home, log *progress.Log, detail func(string)) error {
	node, err := readNode()
	if err != nil {
		return err
	}
	mine := node != nil && node.Dir == h.Dir
	if mine && os.Geteuid() != 0 {
		return fmt.Errorf("stop of a local cluster: %w", preflight.ErrNotRoot)
	}
	stopped := map[string]chan struct{}{}
	for _, c := range Components {
		stopped[c.Name] = make(chan struct{})
	}
	err = each(Components, func(c Component) error {
		defer close(stopped[c.Name])
		for _, other := range Components {
			if slices.Contains(other.After, c.Name) {
				<-stopped[other.Name]
			}
		}
		if c.Name == Containerd && process.Alive(h, c.Name) {
			detail("removing pods")
			if err := removePods(ctx, h); err != nil {
				log.Say("not every pod ended in order, so it is taken away: %v", err)
			}
		}
		return process.Stop(ctx, h, c.Name, c.Grace)
	})
	if err != nil {
		return err
	}
	detail("removing what is left in the kernel")
	if mine {
		return node.putBack(ctx, h)
	}
	return sweepUntilClean(ctx, h, false)
}

// sweepUntilClean sweeps again until nothing is left: a cgroup is busy for a
// moment after its last process ended, and a device goes some time after the
// namespace that it led into.
func sweepUntilClean(ctx context.Context, h *home.Home, node bool) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		swept := sweep(ctx, h, node)
		left, err := Leftovers(ctx, h)
		left = slices.DeleteFunc(left, func(what string) bool { return what == "file "+nodeState })
		if err = errors.Join(swept, err); err == nil && len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster stopped but left behind %s; run `make down` once more, and if it stays, restart the machine: %w",
				summary(left), errors.Join(err, context.Cause(ctx)))
		case <-tick.C:
		}
	}
}

// shown is how many leftovers an error lists.
const shown = 8

func summary(left []string) string {
	text := strings.Join(left[:min(shown, len(left))], "; ")
	if more := len(left) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// ErrRunning is returned by Purge while something of the cluster is there.
var ErrRunning = errors.New("the cluster is not stopped: run `make down` first")

// Purge deletes the data of a stopped cluster: objects, volumes, images,
// certificates, configuration. The registry's images are not the cluster's and
// stay.
func Purge(ctx context.Context, h *home.Home) error {
	left, err := Leftovers(ctx, h)
	if err != nil {
		return fmt.Errorf("delete the cluster's data: %w", err)
	}
	if len(left) > 0 {
		return fmt.Errorf("delete the cluster's data: %w: %s", ErrRunning, summary(left))
	}
	l := layout{h}
	for _, path := range []string{h.Etcd(), l.kubelet(), l.containerdRoot(), l.podLogs(), l.config(""), h.PKI(), h.Kubeconfig()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("delete the cluster's data: %w", err)
		}
	}
	return nil
}
