// Package databaseexporter owns the pod that turns the statistics of PostgreSQL into series
// for Prometheus. It is the same for a server in the cluster and for RDS.
package databaseexporter

import (
	"errors"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/podidentity"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// Program is the Go main package of its image.
	Program = "github.com/progressive-framework/platform/agents/pgexporter"
	// App is the value of the label app of its pod.
	App = scrape.DatabaseApp
)

// Files are files of a Secret that the pod mounts.
type Files struct {
	// Name is the name of the volume, and MountPath its folder.
	Name, MountPath string
	// SecretName is a Secret of the namespace.
	SecretName pulumi.StringInput
}

// Args configure an Exporter.
type Args struct {
	// Account and ClusterName are where the role is created, if there are Statements.
	Account     *account.Account
	ClusterName pulumi.StringInput
	// Namespace is where it runs.
	Namespace controller.Namespace
	// Image is the reference of its image.
	Image pulumi.StringInput
	// Settings are its environment: how it logs in to the database.
	Settings pulumi.StringMap
	Files    []Files
	// Statements are its AWS permissions. Empty means none, and no role.
	Statements []iam.Statement
	// Egress is where it may connect: the database, and what it needs to log in.
	Egress []podnetwork.Rule
	// Reader are the pods that scrape it.
	Reader podnetwork.Peer
	// RequestShare is the size of the pods' resource requests in percent of the usual ones, 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that its nodes must have. Empty means any node.
	NodeSelector map[string]string
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Namespace.Created == nil || a.Image == nil || a.Settings["DATABASE_URL"] == nil:
		return errors.New("database exporter: Namespace, Image and the setting DATABASE_URL must be set")
	case len(a.Statements) > 0 && (a.Account == nil || a.ClusterName == nil):
		return errors.New("database exporter: Account and ClusterName must be set with Statements")
	case a.RequestShare < 1 || a.RequestShare > 100:
		return fmt.Errorf("database exporter: RequestShare is %s, must be 1 to 100 %%", a.RequestShare)
	}
	return nil
}

// Exporter is a running exporter.
type Exporter struct {
	pulumi.ResourceState

	// Policy is the network policy of its pod.
	Policy pulumi.Resource
}

// NewExporter creates the exporter. Its role of the database must exist.
func NewExporter(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Exporter, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e := &Exporter{}
	if err := ctx.RegisterComponentResource("progressive:databaseexporter:Exporter", name, e, opts...); err != nil {
		return nil, fmt.Errorf("database exporter %s: %w", name, err)
	}
	parent := pulumi.Parent(e)
	permissions, err := args.role(ctx, name, parent)
	if err != nil {
		return nil, err
	}
	var (
		volumes corev1.VolumeArray
		mounts  corev1.VolumeMountArray
	)
	for _, f := range args.Files {
		volumes = append(volumes, datastore.SecretFiles(f.Name, f.SecretName))
		mounts = append(mounts, datastore.Mount(f.Name, f.MountPath))
	}
	alive := corev1.HTTPGetActionArgs{Path: pulumi.String("/health"), Port: pulumi.String("http")}
	created, err := controller.New(ctx, name, &controller.Args{
		Namespace: args.Namespace, App: App, Image: args.Image,
		Settings: args.Settings, Tokenless: true, Egress: args.Egress,
		Ports: []controller.Port{
			{Name: "http", Number: 8000},
			{Name: scrape.MetricsPort, Number: scaling.MetricsPort, From: []podnetwork.Peer{args.Reader}},
		},
		Ready: alive, Alive: alive,
		Resources: scaling.DatabaseExporterResources().WithRequests(args.RequestShare),
		Volumes:   volumes, Mounts: mounts,
		NodeSelector: args.NodeSelector,
	}, permissions, parent)
	if err != nil {
		return nil, err
	}
	e.Policy = created.Policy
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{})
}

// role creates the pod's role. The pod starts after the resources that it returns.
func (a *Args) role(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if len(a.Statements) == 0 {
		return nil, nil
	}
	return podidentity.New(ctx, name, &podidentity.Args{
		Account: a.Account, Description: "Exporter of the metrics of PostgreSQL",
		ClusterName: a.ClusterName, Namespace: a.Namespace.Created, ServiceAccount: App, Statements: a.Statements,
	}, parent)
}
