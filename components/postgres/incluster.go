package postgres

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/podnetwork"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/serverfiles"
	"github.com/progressive-framework/platform/components/size"
)

// InClusterArgs configure a PostgreSQL server in the cluster.
type InClusterArgs struct {
	// Namespace is the namespace of the server.
	Namespace pulumi.StringInput
	// Image is a reference by digest: the official postgres image, or an image with a POSIX
	// shell and Debian's server.
	Image pulumi.StringInput
	// Tuning is the size of the container, from which the settings are computed.
	Tuning postgrestuning.Inputs
	// Storage and StorageClass are the size and the class of the volume. Zero means
	// storespec.DefaultVolumeSize and storespec.StorageClass.
	Storage      size.Size
	StorageClass string
	// Clients are the pods that may connect.
	Clients []podnetwork.Peer
	// Password is the password of the user "platform", which owns the database. The server sets the
	// password at its first start. A later change also needs an ALTER ROLE.
	Password pulumi.StringInput
}

func (a *InClusterArgs) validate() error {
	switch {
	case a == nil || a.Namespace == nil || a.Password == nil || a.Image == nil:
		return errors.New("server: Namespace, Image and Password must not be nil")
	case len(a.Clients) == 0:
		return errors.New("server: Clients is empty: nobody could connect")
	case a.Storage.Less(size.Bytes(0)):
		return fmt.Errorf("server: Storage is %s, must be positive, or zero for %s", a.Storage, storespec.DefaultVolumeSize())
	}
	if err := datastore.CheckImage(a.Image); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// InCluster is a PostgreSQL server in the cluster, one pod with a volume.
type InCluster struct {
	pulumi.ResourceState

	// Ready are the network policy and the StatefulSet. A resource that connects to the
	// store must depend on Ready, and not on the InCluster (see network.Network.Ready).
	Ready []pulumi.Resource
	// Host is the server's DNS name in all namespaces.
	Host pulumi.StringOutput
	Port int
	// SecretName is the name of the Secret with the key "password", in the same namespace.
	SecretName pulumi.StringOutput
}

const (
	// StatefulSet is the name of the StatefulSet in the design document.
	StatefulSet = "postgres"
	portName    = "postgres"
	// userID is the id of the user postgres in the official Debian image. The pod's passwd file
	// gives this id the name Owner.
	userID = 999

	configFolder, secretFolder, socketFolder = "/etc/postgres", "/etc/postgres-auth", "/run/postgresql"
	dataFolder                               = "/var/lib/postgresql/data"

	// terminationGrace is the time in seconds for a shutdown. After SIGINT the server ends
	// the sessions, and then it may have to write all of shared_buffers.
	terminationGrace = 120
)

// NewInCluster creates the Secret, the ConfigMap, the network policy, the
// headless Service and the StatefulSet. A change of the settings
// replaces the pod.
func NewInCluster(ctx *pulumi.Context, name string, args *InClusterArgs, opts ...pulumi.ResourceOption) (*InCluster, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	model, err := postgrestuning.New(args.Tuning)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &InCluster{Port: Port}
	if err := ctx.RegisterComponentResource("progressive:postgres:InCluster", name, s, opts...); err != nil {
		return nil, fmt.Errorf("server %s: %w", name, err)
	}
	objects := &datastore.Objects{Context: ctx, Name: name, App: StatefulSet, Namespace: args.Namespace, Parent: pulumi.Parent(s)}
	files := map[string]string{
		"postgresql.conf": serverfiles.PostgresqlConf(model, "", serverfiles.Paths{SocketFolder: socketFolder, HBAConf: configFolder + "/pg_hba.conf"}),
		"pg_hba.conf":     serverfiles.HBAConf,
		"passwd":          serverfiles.PasswdFile(Owner, userID),
		"entrypoint.sh":   serverfiles.Entrypoint,
	}
	config, err := objects.NewConfigMap("postgres-config", files)
	if err != nil {
		return nil, err
	}
	s.SecretName, err = objects.NewSecret("auth", "postgres-auth", map[string]pulumi.StringInput{datastore.PasswordKey: args.Password})
	if err != nil {
		return nil, err
	}
	policy, err := objects.NewNetworkPolicy(podnetwork.Access{
		Ingress: []podnetwork.Rule{{Peers: args.Clients, Ports: []podnetwork.Port{{Number: Port}}}},
	})
	if err != nil {
		return nil, err
	}
	const publishNotReady = false
	service, err := objects.NewHeadlessService(StatefulSet, publishNotReady, datastore.Port{Name: portName, Number: Port})
	if err != nil {
		return nil, err
	}
	statefulSet, err := objects.NewStatefulSet(datastore.StatefulSet{
		Service:  service,
		Replicas: 1,
		Config:   fmt.Append(nil, files), // fmt prints a map in the order of its keys
		Pod:      podSpec(args, config, s.SecretName),
		Volume:   datastore.Volume{Name: "postgres-data", Capacity: args.Storage, Class: args.StorageClass},
	})
	if err != nil {
		return nil, err
	}
	s.Host, s.Ready = datastore.Host(service), []pulumi.Resource{policy, statefulSet}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"host": s.Host, "secretName": s.SecretName})
}
