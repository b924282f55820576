package config

import (
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/size"
)

// Postgres is the relational store.
type Postgres struct {
	// RDS, a StatefulSet in the cluster, or no PostgreSQL at all. `managed` needs
	// `cluster.nodes: autoScaling`, because an add-on mounts its password.
	Kind StoreKind `mapstructure:"kind"`
	// The RDS instance class of `managed`, such as `db.r7g.xlarge`. Another class
	// changes the settings with it and replaces nothing.
	InstanceClass string `mapstructure:"instanceClass" unset:"required for managed"`
	// max_connections. A number that the memory can't hold is refused.
	Connections int `mapstructure:"connections"`
	// The initial size of the volume in GiB.
	StorageGiB int `mapstructure:"storageGiB" unset:"managed: 100, inCluster: 20"`
	// For how many days back `managed` can be restored to any second: 7 to 35.
	BackupDays int `mapstructure:"backupDays"`
	// `managed` without a standby in another zone.
	SingleZone bool `mapstructure:"singleZone"`
	// The image of `inCluster`: a reference by digest, or `ecr://REPOSITORY:TAG`
	// for an image in the account's own registry.
	Image string `mapstructure:"image" unset:"required for inCluster"`
	// The memory limit of `inCluster` in MiB.
	MemoryMiB int `mapstructure:"memoryMiB" unset:"required for inCluster"`
	// The CPU cores of `inCluster`.
	Cores int `mapstructure:"cores"`
}

// Redis is the cache.
type Redis struct {
	// ElastiCache, a StatefulSet in the cluster, or no Redis at all. `managed`
	// needs `cluster.nodes: autoScaling`, because an add-on mounts its password.
	Kind StoreKind `mapstructure:"kind"`
	// The ElastiCache node type of `managed`, such as `cache.r7g.large`.
	NodeType string `mapstructure:"nodeType" unset:"required for managed"`
	// The number of shards of `managed`.
	Shards int `mapstructure:"shards"`
	// The replicas of each shard of `managed`: 1 to 5.
	ReplicasPerShard int `mapstructure:"replicasPerShard"`
	// For how many days `managed` keeps its daily snapshots: 1 to 35.
	SnapshotDays int `mapstructure:"snapshotDays"`
	// The generation of the password of `managed`. Increase it by one to rotate
	// the password.
	PasswordGeneration int `mapstructure:"passwordGeneration"`
	// The image of `inCluster`, in the form of `postgres.image`.
	Image string `mapstructure:"image" unset:"required for inCluster"`
	// The memory limit of a node of `inCluster` in MiB.
	MemoryMiB int `mapstructure:"memoryMiB" unset:"4096"`
	// The volume of a node of `inCluster` in GiB.
	StorageGiB int `mapstructure:"storageGiB" unset:"20"`
}

// Mongo is the document store.
type Mongo struct {
	// DocumentDB, a MongoDB that exists already, or no document store at all.
	// `managed` needs `cluster.nodes: autoScaling`, because an add-on mounts its
	// password.
	Kind MongoKind `mapstructure:"kind"`
	// The DocumentDB instance class of `managed`, such as `db.r6g.large`.
	InstanceClass string `mapstructure:"instanceClass" unset:"required for managed"`
	// The number of instances of `managed`: a writer and its readers, 1 to 16.
	Instances int `mapstructure:"instances"`
	// For how many days back `managed` can be restored to any second: 7 to 35.
	BackupDays int `mapstructure:"backupDays"`
	// The ARN of the secret in Secrets Manager that holds the connection string
	// of `url`.
	URLSecretARN string `mapstructure:"urlSecretArn" unset:"required for url"`
}

// StoreKind is how a store comes to the stack.
type StoreKind string

// The kinds of PostgreSQL and Redis.
const (
	// Managed is a service of AWS.
	Managed StoreKind = "managed"
	// InCluster is a StatefulSet of the stack's own.
	InCluster StoreKind = "inCluster"
	// NoStore leaves the store out.
	NoStore StoreKind = "none"
)

// Values lists the kinds.
func (StoreKind) Values() []string {
	return []string{string(Managed), string(InCluster), string(NoStore)}
}

// MongoKind is how the document store comes to the stack.
type MongoKind string

// The kinds of document store.
const (
	// MongoManaged is DocumentDB.
	MongoManaged MongoKind = "managed"
	// MongoURL is one that exists already.
	MongoURL MongoKind = "url"
	// NoMongo leaves it out.
	NoMongo MongoKind = "none"
)

// Values lists the kinds.
func (MongoKind) Values() []string {
	return []string{string(MongoManaged), string(MongoURL), string(NoMongo)}
}

// AccountRegistry begins the reference of an image that is in the account's
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
		Cores:       p.Cores,
		Connections: p.Connections,
	}
}

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
		key, kind          string
		managed, inCluster func() error
		image              string
	}{
		{"postgres", string(s.Postgres.Kind), func() error {
			_, _, err := s.Database().Complete()
			return err
		}, func() error {
			_, err := postgrestuning.New(s.Server())
			return err
		}, s.Postgres.Image},
		{"redis", string(s.Redis.Kind), func() error {
			_, _, err := s.Cache().Complete()
			return err
		}, func() error {
			if s.Redis.MemoryMiB == 0 {
				return nil
			}
			_, err := redistuning.New(redistuning.Inputs{Memory: size.MiB(int64(s.Redis.MemoryMiB))})
			return err
		}, s.Redis.Image},
		{"mongo", string(s.Mongo.Kind), func() error {
			_, err := s.Documents().Complete()
			return err
		}, nil, ""},
	} {
		at := path(store.key)
		switch store.kind {
		case string(Managed):
			if s.Cluster.Nodes == NodesOwn {
				problems = append(problems, field.Invalid(at.Child("kind"), store.kind,
					"pods mount its password by an add-on that the stack installs on its own nodes only; choose another kind, or set cluster.nodes to "+string(NodesAutoScaling)))
			}
			if err := store.managed(); err != nil {
				problems = append(problems, field.Invalid(at, "", err.Error()))
			}
		case string(InCluster):
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
	if m := s.Mongo; m.Kind == MongoURL && !secretARN.MatchString(m.URLSecretARN) {
		problems = append(problems, field.Invalid(path("mongo.urlSecretArn"), m.URLSecretARN, "must be the ARN of the secret that holds the connection string"))
	}
	return problems
}
