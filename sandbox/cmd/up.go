package cmd

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/progressive-framework/platform/sandbox/addons"
	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/debian"
	"github.com/progressive-framework/platform/sandbox/home"
	"github.com/progressive-framework/platform/sandbox/lock"
	"github.com/progressive-framework/platform/sandbox/nodes"
	"github.com/progressive-framework/platform/sandbox/progress"
	"github.com/progressive-framework/platform/sandbox/project"
	"github.com/progressive-framework/platform/sandbox/settings"
	"github.com/progressive-framework/platform/sandbox/stack"
	"github.com/progressive-framework/platform/sandbox/volumes"
)

func (a *app) up() *cobra.Command {
	var (
		options  settings.Options
		noDeploy bool
	)
	c := &cobra.Command{
		Use:   "up",
		Short: "Start or repair the sandbox and bring the platform up in it",
		Long: "Start what of the sandbox does not run, repair what was killed, and run\n" +
			"`pulumi up` on the stack sandbox. Run again at any time: what is in order stays.",
		Example: "  sandbox up\n  CLUSTER=existing KUBECONFIG=~/.kube/config REGISTRY=localhost:5001 sandbox up",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.runUp(c, options.WithEnv(os.Getenv), !noDeploy)
		},
	}
	f := c.Flags()
	f.StringVar(&options.Cluster, "cluster", "", "local, existing or simulated ($CLUSTER, else local)")
	f.StringVar(&options.Kubeconfig, "kubeconfig", "", "kubeconfig of the existing cluster ($KUBECONFIG)")
	f.StringVar(&options.Registry, "registry", "", "registry that the nodes of the existing cluster pull from ($REGISTRY)")
	f.StringVar(&options.Ports, "ports", "", "other ports, as registry=5002,apiServer=7443 ($SANDBOX_PORTS)")
	f.BoolVar(&noDeploy, "no-deploy", false, "start the cluster only, without pulumi up")
	return c
}

func (a *app) runUp(c *cobra.Command, options settings.Options, deploy bool) error {
	ctx := c.Context()
	dir, err := a.folder()
	if err != nil {
		return err
	}
	project, err := findProject()
	if err != nil {
		return err
	}
	release, err := lock.Take(dir, "make up")
	if err != nil {
		return err
	}
	defer release()
	h, err := settings.Ensure(dir, project, options)
	if err != nil {
		return err
	}
	log := progress.New(c.ErrOrStderr(), steps(h, deploy))
	if err := cluster.Preflight(h); err != nil {
		return err
	}
	if err := prepare(ctx, h); err != nil {
		return err
	}
	if err := startCluster(ctx, h, log); err != nil {
		return err
	}
	if !deploy {
		return nil
	}
	return upStack(c, h, log)
}

// steps is how many steps an up has, but for images that have to be built.
func steps(h *home.Home, deploy bool) int {
	n := cluster.StartSteps
	if h.Cluster != home.ClusterExisting {
		n++ // addons, or simulated nodes
	}
	if deploy && h.Cluster != home.ClusterSimulated {
		n++ // asking the platform
	}
	return n
}

// startCluster brings up Kubernetes and what every cluster has: DNS and
// metrics on a real node, simulated nodes where there is none. A person's own
// cluster has its own, and gets no more than a name for its storage class.
func startCluster(ctx context.Context, h *home.Home, log *progress.Log) error {
	if err := cluster.Start(ctx, h, log); err != nil {
		return err
	}
	if err := debian.Ensure(ctx, h, log); err != nil {
		return err
	}
	switch h.Cluster {
	case home.ClusterLocal:
		return addons.Install(ctx, h, log)
	case home.ClusterSimulated:
		return log.Step("simulated nodes, one of each tier in each of "+fmt.Sprint(h.Zones), func(func(string)) error {
			return nodes.Ensure(ctx, h, 1)
		})
	default:
		return volumes.CopyDefaultClass(ctx, h)
	}
}

// upStack runs `pulumi up` on the stack sandbox and waits until the platform
// answers.
func upStack(c *cobra.Command, h *home.Home, log *progress.Log) error {
	ctx := c.Context()
	log.Say("pulumi up on the stack %s", project.SandboxStack)
	s, err := stack.Open(ctx, h, project.SandboxStack, terminal(c))
	if err != nil {
		return err
	}
	if err := s.Recover(ctx, log.Say); err != nil {
		return err
	}
	if err := refreshLostImages(ctx, h, s, log); err != nil {
		return err
	}
	if err := s.Run(ctx, "up", "--yes", "--skip-preview", "--stack", s.Name()); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%w; the state is saved, make up goes on from there", context.Cause(ctx))
		}
		return fmt.Errorf("%w. What was made stays; mend it and run make up again", s.Explain(ctx, err))
	}
	state, err := s.Export(ctx)
	if err != nil {
		return err
	}
	url := state.Output("url")
	if h.Cluster == home.ClusterSimulated {
		log.Say("pods of simulated nodes run nothing, so nothing answers at %s", url)
		return howToGoOn(c, "")
	}
	if h.Cluster == home.ClusterExisting {
		if err := startForward(ctx, h, state.Output("namespace")); err != nil {
			return err
		}
	}
	if url == "" {
		return fmt.Errorf("the stack %s has no output named url", s.Name())
	}
	err = log.Step("asking "+url+"/health", func(detail func(string)) error {
		return awaitFront(ctx, url, frontLimit, detail)
	})
	if err != nil {
		return err
	}
	return howToGoOn(c, url)
}

func howToGoOn(c *cobra.Command, url string) error {
	out := c.OutOrStdout()
	if url != "" {
		fmt.Fprintf(out, "\nThe platform answers at %s\n", url)
	}
	_, err := fmt.Fprint(out, "\nGo on in a shell of the sandbox, with plain pulumi, kubectl and aws:\n"+
		"  eval \"$(make env)\"\n"+
		"Then: pulumi stack output; kubectl get pods -A; make status; make down\n")
	return err
}

// frontLimit is how long the platform may take to answer after `pulumi up`,
// which waited for its pods already: only the node's routes are still to come.
const frontLimit = time.Minute
