// Package databaseexporter owns the pod that turns the statistics of PostgreSQL into metrics
// for Prometheus. The pod is the same for a server in the cluster and for RDS.
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
	// Program is the Go main package of the exporter's image.
	Program = "github.com/progressive-framework/platform/agents/pgexporter"
	// App is the value of the label app of the exporter's pod.
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
	// Account is the account of the role, and ClusterName the EKS cluster of the pod. They are
	// needed only with Statements.
	Account     *account.Account
	ClusterName pulumi.StringInput
	// Namespace is the namespace in which the exporter runs.
	Namespace controller.Namespace
	// Image is the reference of the exporter's image.
	Image pulumi.StringInput
	// Settings are the exporter's environment variables, which configure its login to the
	// database. Files are the files that the exporter mounts.
	Settings pulumi.StringMap
	Files    []Files
	// Statements are the exporter's AWS permissions. Empty means that the exporter has no role.
	Statements []iam.Statement
	// Egress are the rules for the exporter's connections: to the database, and to the services
	// that the login needs.
	Egress []podnetwork.Rule
	// Reader is the peer that scrapes the exporter.
	Reader podnetwork.Peer
	// RequestShare is the percentage of scaling.DatabaseExporterResources that the pod requests,
	// 1 to 100.
	RequestShare scaling.Percent
	// NodeSelector are labels that the pod's node must have. Empty means any node.
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

	// Policy is the network policy of the exporter's pod.
	Policy pulumi.Resource
}

// NewExporter creates the exporter. The database role with which the exporter logs in must exist.
func NewExporter(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Exporter, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	e := &Exporter{}
	if err := ctx.RegisterComponentResource("progressive:databaseexporter:Exporter", name, e, opts...); err != nil {
		return nil, fmt.Errorf("database exporter %s: %w", name, err)
	}
	parent := pulumi.Parent(e)
	permissions, err := args.newRole(ctx, name, parent)
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
	exporter, err := controller.New(ctx, name, &controller.Args{
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
	e.Policy = exporter.Policy
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{})
}

// newRole creates the pod's IAM role. Without Statements it creates nothing and returns nil. The
// pod must depend on the returned resources.
func (a *Args) newRole(ctx *pulumi.Context, name string, parent pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if len(a.Statements) == 0 {
		return nil, nil
	}
	return podidentity.New(ctx, name, &podidentity.Args{
		Account: a.Account, Description: "Exporter of the metrics of PostgreSQL",
		ClusterName: a.ClusterName, Namespace: a.Namespace.Created, ServiceAccount: App, Statements: a.Statements,
	}, parent)
}
