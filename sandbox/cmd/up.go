package cmd

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/debian"
	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localaddons"
	"github.com/progressive-framework/platform/sandbox/localcluster"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/mirror"
	"github.com/progressive-framework/platform/sandbox/nodes"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/settings"
	"github.com/progressive-framework/platform/sandbox/stack"
	"github.com/progressive-framework/platform/sandbox/volumes"
)

func (a *app) newUpCommand() *cobra.Command {
	var (
		options  settings.Options
		noDeploy bool
	)
	c := &cobra.Command{
		Use:   "up",
		Short: "Start or repair the sandbox and bring the platform up in it",
		Long: "Start the parts of the sandbox that do not run, repair what was killed, and run\n" +
			"`pulumi up` on the stack sandbox. A repetition changes only what is not in order.",
		Example: "  sandbox up\n  CLUSTER=existing KUBECONFIG=~/.kube/config REGISTRY=localhost:5001 sandbox up",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.runUp(c, options.WithEnv(os.Getenv), !noDeploy)
		},
	}
	flags := c.Flags()
	flags.StringVar(&options.Cluster, "cluster", "", "local, existing or simulated ($CLUSTER, else local)")
	flags.StringVar(&options.Kubeconfig, "kubeconfig", "", "kubeconfig of the existing cluster ($KUBECONFIG)")
	flags.StringVar(&options.Registry, "registry", "", "registry that the nodes of the existing cluster pull from ($REGISTRY)")
	flags.StringVar(&options.Ports, "ports", "", "other ports, as registry=5002,apiServer=7443 ($SANDBOX_PORTS)")
	flags.BoolVar(&noDeploy, "no-deploy", false, "start the cluster only, without pulumi up")
	return c
}

// runUp creates the sandbox if there is none, and starts the cluster. With deploy it
// also runs `pulumi up`.
func (a *app) runUp(c *cobra.Command, options settings.Options, deploy bool) error {
	ctx := c.Context()
	dir, err := a.folder()
	if err != nil {
		return err
	}
	projectDir, err := findProject()
	if err != nil {
		return err
	}
	release, err := lock.Take(dir, "make up")
	if err != nil {
		return err
	}
	defer release()
	l, err := settings.Ensure(dir, projectDir, options)
	if err != nil {
		return err
	}
	log := progress.New(c.ErrOrStderr(), countSteps(l, deploy))
	if err := localcluster.Preflight(l); err != nil {
		return err
	}
	if err := prepare(ctx, l); err != nil {
		return err
	}
	if err := startCluster(ctx, l, log); err != nil {
		return err
	}
	if !deploy {
		return localaddons.InstallMetrics(ctx, l, log)
	}
	return upStack(c, l, log)
}

// countSteps returns the number of steps that the log of an `up` announces. Each image that has
// to be built adds a step later.
func countSteps(l *layout.Layout, deploy bool) int {
	n := localcluster.StartSteps
	switch l.Cluster {
	case layout.ClusterLocal:
		n += 2 // the addons: CoreDNS and metrics-server
	case layout.ClusterSimulated:
		n++ // the simulated nodes
	}
	if deploy && l.Cluster != layout.ClusterSimulated {
		n++ // the wait until the platform is healthy
	}
	return n
}

// startCluster starts the cluster. A local cluster gets DNS, and a simulated cluster gets
// simulated nodes. A user's own cluster has all of these, so it only gets a
// storage class with the name that the platform's program uses.
func startCluster(ctx context.Context, l *layout.Layout, log *progress.Log) error {
	if err := localcluster.Start(ctx, l, log); err != nil {
		return err
	}
	if err := debian.Ensure(ctx, l, log); err != nil {
		return err
	}
	switch l.Cluster {
	case layout.ClusterLocal:
		return localaddons.InstallDNS(ctx, l, log)
	case layout.ClusterSimulated:
		return log.Step("simulated nodes, one of each tier in each of "+fmt.Sprint(l.Zones), func(func(string)) error {
			if err := mirror.EnsureEmpty(ctx, l); err != nil {
				return err
			}
			return nodes.Ensure(ctx, l, 1)
		})
	default:
		return volumes.CopyDefaultClass(ctx, l)
	}
}

// upStack repairs the stack sandbox after an interrupted update, runs `pulumi up` on it, and waits
// until the platform is healthy. Then it prints the next steps for the user.
func upStack(c *cobra.Command, l *layout.Layout, log *progress.Log) error {
	ctx := c.Context()
	log.Say("pulumi up on the stack %s", project.SandboxStack)
	s, err := stack.Open(ctx, l, project.SandboxStack, terminal(c))
	if err != nil {
		return err
	}
	state, err := s.Recover(ctx, log.Say)
	if err != nil {
		return err
	}
	if err := refreshLostImages(ctx, l, s, state, log); err != nil {
		return err
	}
	url, err := deployWithAutoscaling(ctx, l, s, state, log)
	if err != nil {
		return err
	}
	if l.Cluster == layout.ClusterSimulated {
		log.Say("pods of simulated nodes run nothing, so nothing answers at %s", url)
		url = ""
	}
	return printNextSteps(c, url)
}

func printNextSteps(c *cobra.Command, url string) error {
	out := c.OutOrStdout()
	if url != "" {
		fmt.Fprintf(out, "\nThe platform answers at %s\n", url)
	}
	_, err := fmt.Fprint(out, "\nWork in a shell of the sandbox, with plain pulumi, kubectl and aws:\n"+
		"  eval \"$(make env)\"\n"+
		"Then: pulumi stack output; kubectl get pods -A; make status; make down\n"+
		dashboardsHint)
	return err
}

// dashboardsHint explains how to open the dashboards that Prometheus serves.
const dashboardsHint = "Dashboards: make dashboard, then http://127.0.0.1:9090/consoles/index.html\n"

// frontLimit is how long the platform may take to be healthy after `pulumi up`. `pulumi up` waits
// until the pods are ready, so only kube-proxy's rules may still be missing.
const frontLimit = time.Minute
