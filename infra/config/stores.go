package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/size"
)

// Postgres is the platform's relational store.
type Postgres struct {
	// Kind is KindManaged (RDS, the default), KindInCluster (a StatefulSet) or
	// KindNone.
	Kind string `mapstructure:"kind"`
	// InstanceClass is RDS's, such as db.r7g.xlarge.
	InstanceClass string `mapstructure:"instanceClass"`
	// Connections are max_connections; zero: the document's 200.
	Connections int `mapstructure:"connections"`
	// StorageGiB is what is there from the start; zero: 100.
	StorageGiB int `mapstructure:"storageGiB"`
	// BackupDays is how far back the database can be restored; zero: 35.
	BackupDays int `mapstructure:"backupDays"`
	// SingleZone gives up the standby in another zone.
	SingleZone bool `mapstructure:"singleZone"`
	// Image is that of the in-cluster variant: a reference by digest, or one
	// that begins with AccountRegistry.
	Image string `mapstructure:"image"`
	// MemoryMiB, Cores and StorageGiB are the in-cluster variant's size; zero
	// cores: 2.
	MemoryMiB int `mapstructure:"memoryMiB"`
	Cores     int `mapstructure:"cores"`
}

// Redis is the platform's cache.
type Redis struct {
	// Kind is KindManaged (ElastiCache, the default), KindInCluster or KindNone.
	Kind string `mapstructure:"kind"`
	// NodeType is ElastiCache's, such as cache.r7g.large.
	NodeType string `mapstructure:"nodeType"`
	// Shards and ReplicasPerShard; zeros: the document's six nodes, 3 and 1.
	Shards           int `mapstructure:"shards"`
	ReplicasPerShard int `mapstructure:"replicasPerShard"`
	// SnapshotDays is how long daily snapshots are kept; zero: 7.
	SnapshotDays int `mapstructure:"snapshotDays"`
	// PasswordGeneration counts the rotations of the password.
	PasswordGeneration int `mapstructure:"passwordGeneration"`
	// Image is that of the in-cluster variant; see Postgres.Image.
	Image string `mapstructure:"image"`
	// MemoryMiB is the memory limit of a node of the in-cluster variant; zero:
	// the document's 4,096. StorageGiB is its volume; zero: the document's 20.
	MemoryMiB  int `mapstructure:"memoryMiB"`
	StorageGiB int `mapstructure:"storageGiB"`
}

// Mongo is the platform's document store.
type Mongo struct {
	// Kind is KindManaged (DocumentDB, the default), KindURL (one that exists)
	// or KindNone.
	Kind string `mapstructure:"kind"`
	// InstanceClass is DocumentDB's, such as db.r6g.large.
	InstanceClass string `mapstructure:"instanceClass"`
	// Instances are a writer and its readers; zero: 3.
	Instances int `mapstructure:"instances"`
	// BackupDays is how far back the cluster can be restored; zero: 35.
	BackupDays int `mapstructure:"backupDays"`
	// URLSecretARN is the secret in Secrets Manager that holds the connection
	// string of KindURL.
	URLSecretARN string `mapstructure:"urlSecretArn"`
}

// Kinds of stores.
const (
	KindManaged   = "managed"
	KindInCluster = "inCluster"
	KindURL       = "url"
	KindNone      = "none"
)

// AccountRegistry begins the reference of an image that lies in the account's
// own registry, such as "ecr://debian/redis:7".
const AccountRegistry = "ecr://"

var (
	imageReference = regexp.MustCompile(`^(ecr://[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*|[a-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64})$`)
	secretARN      = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$`)
)

// Server is the size of the in-cluster PostgreSQL server.
func (s *Stack) Server() postgrestuning.Inputs {
	p := s.Postgres
	return postgrestuning.Inputs{
		Memory:      size.MiB(int64(p.MemoryMiB)),
		Cores:       cmp.Or(p.Cores, 2),
		Connections: cmp.Or(p.Connections, defaultConnections),
	}
}

// defaultConnections are the document's max_connections.
const defaultConnections = 200

// Database is what the stack asks of RDS.
func (s *Stack) Database() rdsspec.Database {
	p := s.Postgres
	return rdsspec.Database{
		Identifier: s.Name(), InstanceClass: p.InstanceClass, Connections: p.Connections, StorageGiB: p.StorageGiB, BackupDays: p.BackupDays,
	}
}

// Cache is what the stack asks of ElastiCache.
func (s *Stack) Cache() elasticachespec.Cluster {
	r := s.Redis
	return elasticachespec.Cluster{
		Identifier: s.Name(), NodeType: r.NodeType, Shards: r.Shards, ReplicasPerShard: r.ReplicasPerShard, SnapshotDays: r.SnapshotDays,
	}
}

// Documents is what the stack asks of DocumentDB.
func (s *Stack) Documents() docdbspec.Cluster {
	m := s.Mongo
	return docdbspec.Cluster{Identifier: s.Name(), InstanceClass: m.InstanceClass, Instances: m.Instances, BackupDays: m.BackupDays}
}

func validateStores(s *Stack) field.ErrorList {
	var problems field.ErrorList
	for _, store := range []struct {
		key, kind string
		kinds     []string
		managed   func() error
		inCluster func() error
		image     string
	}{
		{"postgres", s.Postgres.Kind, []string{KindManaged, KindInCluster, KindNone}, func() error {
			_, _, err := s.Database().Complete()
			return err
		}, func() error {
			_, err := postgrestuning.New(s.Server())
			return err
		}, s.Postgres.Image},
		{"redis", s.Redis.Kind, []string{KindManaged, KindInCluster, KindNone}, func() error {
			_, _, err := s.Cache().Complete()
			return err
		}, func() error {
			if s.Redis.MemoryMiB == 0 {
				return nil
			}
			_, err := redistuning.New(redistuning.Inputs{Memory: size.MiB(int64(s.Redis.MemoryMiB))})
			return err
		}, s.Redis.Image},
		{"mongo", s.Mongo.Kind, []string{KindManaged, KindURL, KindNone}, func() error {
			_, err := s.Documents().Complete()
			return err
		}, nil, ""},
	} {
		at := path(store.key)
		switch {
		case !slices.Contains(store.kinds, store.kind):
			problems = append(problems, field.NotSupported(at.Child("kind"), store.kind, store.kinds))
		case store.kind == KindManaged:
			if s.Cluster.Nodes == NodesOwn {
				problems = append(problems, field.Invalid(at.Child("kind"), store.kind,
					"pods mount its password by an add-on, which a cluster with nodes of its own has not; take another kind, or set cluster.nodes to "+NodesAutoScaling))
			}
			if err := store.managed(); err != nil {
				problems = append(problems, field.Invalid(at, "", err.Error()))
			}
		case store.kind == KindInCluster:
			if store.image == "" {
				problems = append(problems, field.Required(at.Child("image"), "the image of the in-cluster variant, such as "+AccountRegistry+"debian/redis:7"))
			}
			if err := store.inCluster(); err != nil {
				problems = append(problems, field.Invalid(at, "", err.Error()))
			}
		}
		if store.image != "" && !imageReference.MatchString(store.image) {
			problems = append(problems, field.Invalid(at.Child("image"), store.image,
				fmt.Sprintf("must be %sREPOSITORY:TAG, of the account's own registry, or a reference that ends in @sha256:DIGEST", AccountRegistry)))
		}
	}
	if m := s.Mongo; m.Kind == KindURL && !secretARN.MatchString(m.URLSecretARN) {
		problems = append(problems, field.Invalid(path("mongo.urlSecretArn"), m.URLSecretARN, "must be the ARN of the secret that holds the connection string"))
	}
	return problems
}
