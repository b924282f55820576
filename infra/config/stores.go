package config

import (
	"regexp"

	"github.com/progressive-framework/platform/components/image/ociplatform"
	"github.com/progressive-framework/platform/components/mongo/docdbspec"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/postgres/rdsspec"
	"github.com/progressive-framework/platform/components/redis/elasticachespec"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/size"
)

// Postgres is the relational store.
type Postgres struct {
	// RDS, or a StatefulSet in the cluster. `managed` needs `cluster.nodes:
	// autoScaling`, because an add-on mounts its password. There is no stack
	// without PostgreSQL: the services do not start without it.
	Kind StoreKind `key:"kind" values:"managed,inCluster"`
	// The RDS instance class of `managed`, such as `db.r7g.xlarge`. Another class
	// changes the settings with it and replaces nothing.
	InstanceClass string `key:"instanceClass" kinds:"managed" unset:"required for managed"`
	// PostgreSQL's `max_connections`. A number for which the memory is too small is refused.
	Connections int `key:"connections" kinds:"managed,inCluster"`
	// The size of the volume in GiB. It can grow, and never shrink.
	StorageGiB int `key:"storageGiB" kinds:"managed,inCluster" unset:"managed: 100, inCluster: 20"`
	// How many days back point-in-time recovery of `managed` can go: 7 to 35.
	BackupDays int `key:"backupDays" kinds:"managed"`
	// Another region, to which RDS copies the automated backups of `managed`: for
	// `backupDays`, encrypted with a key of that region. The data can then be restored
	// there. ElastiCache has no such copies.
	BackupRegion string `key:"backupRegion" kinds:"managed" unset:"no copies"`
	// `managed` without a standby in another zone.
	SingleZone bool `key:"singleZone" kinds:"managed"`
	// The RDS snapshot from which a new `managed` database is created: by its name, in the stack's
	// account and region. The snapshot must be encrypted, of PostgreSQL 17, and of a database of
	// this program: the master user is `platform`. The database keeps the snapshot's KMS key. A
	// stack that exists can't change `snapshotIdentifier`: see docs/runbooks/restore.md.
	SnapshotIdentifier string `key:"snapshotIdentifier" kinds:"managed" unset:"an empty database"`
	// The generation of the passwords of `inCluster`, by which the services log in.
	// Increase it by one to rotate them. The services of `managed` log in with tokens of
	// IAM.
	PasswordGeneration int `key:"passwordGeneration" kinds:"inCluster"`
	// The image of `inCluster`: a reference by digest, or `ecr://REPOSITORY:TAG`
	// for an image in the account's own registry.
	Image string `key:"image" kinds:"inCluster" unset:"required for inCluster"`
	// The memory limit of `inCluster` in MiB.
	MemoryMiB int `key:"memoryMiB" kinds:"inCluster" unset:"required for inCluster"`
	// The OCI platforms of the image of `inCluster`. They must cover the
	// architecture of every tier.
	Platforms []ociplatform.Platform `key:"platforms" kinds:"inCluster"`
	// The CPU cores of `inCluster`, at most those of a node.
	Cores int `key:"cores" kinds:"inCluster"`
}

// Redis is the cache.
type Redis struct {
	// ElastiCache, a StatefulSet in the cluster, or no Redis at all. `managed`
	// needs `cluster.nodes: autoScaling`, because an add-on mounts its password.
	Kind StoreKind `key:"kind"`
	// The ElastiCache node type of `managed`, such as `cache.r7g.large`.
	NodeType string `key:"nodeType" kinds:"managed" unset:"required for managed"`
	// The number of shards of `managed`.
	Shards int `key:"shards" kinds:"managed"`
	// The replicas of each shard of `managed`: 1 to 5.
	ReplicasPerShard int `key:"replicasPerShard" kinds:"managed"`
	// For how many days `managed` keeps its daily snapshots: 1 to 35.
	SnapshotDays int `key:"snapshotDays" kinds:"managed"`
	// The name of the ElastiCache snapshot of Redis from which a new `managed` cluster is created.
	// A stack that exists can't change `snapshotName`.
	SnapshotName string `key:"snapshotName" kinds:"managed" unset:"an empty cluster"`
	// The generation of the password of `managed`. Increase it by one to rotate
	// the password.
	PasswordGeneration int `key:"passwordGeneration" kinds:"managed"`
	// The image of `inCluster`, in the form of `postgres.image`.
	Image string `key:"image" kinds:"inCluster" unset:"required for inCluster"`
	// The OCI platforms of the image of `inCluster`, as `postgres.platforms`.
	Platforms []ociplatform.Platform `key:"platforms" kinds:"inCluster"`
	// The memory limit of a node of `inCluster` in MiB: at most what a node of the tiers
	// has for pods, and half of `storageGiB`.
	MemoryMiB int `key:"memoryMiB" kinds:"inCluster" unset:"4096"`
	// The volume of a node of `inCluster` in GiB. It can grow, and never shrink.
	StorageGiB int `key:"storageGiB" kinds:"inCluster" unset:"20"`
}

// Mongo is the document store.
type Mongo struct {
	// DocumentDB, a MongoDB of your own by its URL, or no document store at all. No
	// service reads it: the migration creates the indexes of the design document.
	// `managed` and `url` need `cluster.nodes: autoScaling`, because an add-on mounts the
	// password.
	Kind MongoKind `key:"kind"`
	// Where the MongoDB of `url` is: `mongodb+srv://USER@HOST/`, or
	// `mongodb://USER@HOST:PORT/`, without a password. The user may create indexes in the
	// database `progressive_framework_v5` and set its profiler (the role `dbAdmin`).
	// Connections use TLS and verify the server; an option that weakens this is refused.
	URL string `key:"url" kinds:"url" unset:"required for url"`
	// The secret of Secrets Manager with the password of that user as its value: its ARN,
	// in the stack's account and region.
	PasswordSecretARN string `key:"passwordSecretArn" kinds:"url" unset:"required for url"`
	// The KMS key that encrypts this secret: its ARN.
	PasswordKeyARN string `key:"passwordKeyArn" kinds:"url" unset:"AWS's own key"`
	// The blocks of addresses in which the servers of `url` are. The migration reaches
	// these, and no others.
	CIDRs []string `key:"cidrs" kinds:"url" unset:"required for url"`
	// A PEM file of the project with the certificate authorities of the servers of `url`.
	CAFile string `key:"caFile" kinds:"url" unset:"the public ones"`
	// The DocumentDB instance class of `managed`, such as `db.r6g.large`.
	InstanceClass string `key:"instanceClass" kinds:"managed" unset:"required for managed"`
	// The number of instances of `managed`: a writer and its readers, 1 to 16.
	Instances int `key:"instances" kinds:"managed"`
	// How many days back point-in-time recovery of `managed` can go: 7 to 35.
	BackupDays int `key:"backupDays" kinds:"managed"`
	// Another region, to which AWS Backup copies a daily snapshot of `managed`: for
	// `backupDays`, encrypted with a key of that region. AWS Backup must be enabled for
	// DocumentDB in the account: see docs/aws.md.
	BackupRegion string `key:"backupRegion" kinds:"managed" unset:"no copies"`
	// The DocumentDB snapshot from which a new `managed` cluster is created: by its name, in the
	// stack's account and region. The snapshot must be encrypted, of DocumentDB 5.0.0, with the
	// master user `platform`. A stack that exists can't change `snapshotIdentifier`.
	SnapshotIdentifier string `key:"snapshotIdentifier" kinds:"managed" unset:"an empty cluster"`
}

// StoreKind says whether AWS runs PostgreSQL or Redis, or the cluster does.
type StoreKind string

// The kinds of PostgreSQL and Redis.
const (
	// Managed is a service of AWS.
	Managed StoreKind = "managed"
	// InCluster is a StatefulSet of the stack's own.
	InCluster StoreKind = "inCluster"
	// NoStore leaves Redis out: the services then cache in their own memory only.
	NoStore StoreKind = "none"
)

// Values lists the kinds.
func (StoreKind) Values() []string {
	return []string{string(Managed), string(InCluster), string(NoStore)}
}

// MongoKind says which document store the stack uses.
type MongoKind string

// The kinds of document store.
const (
	// MongoManaged is DocumentDB.
	MongoManaged MongoKind = "managed"
	// MongoURL is a MongoDB that the stack does not create.
	MongoURL MongoKind = "url"
	// NoMongo leaves the document store out.
	NoMongo MongoKind = "none"
)

// Values lists the kinds.
func (MongoKind) Values() []string {
	return []string{string(MongoManaged), string(MongoURL), string(NoMongo)}
}

// AccountRegistry begins the reference of an image that is in the account's
// own registry, such as "ecr://debian/redis:7".
const AccountRegistry = "ecr://"

const (
	// repositoryPath and imageTag are parts of the reference of an image (OCI distribution
	// specification).
	repositoryPath = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`
	imageTag       = `:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	// maxRepository is the longest name of a repository (ECR API, CreateRepository).
	maxRepository = 256
)

// imageReference matches an image of the account's own registry by its tag, or any image by its
// digest.
var imageReference = regexp.MustCompile(`^(` + AccountRegistry + `(` + repositoryPath + `)` + imageTag +
	`|([a-zA-Z0-9.-]+(:[0-9]{1,5})?/)?` + repositoryPath + `(` + imageTag + `)?@sha256:[0-9a-f]{64})$`)

// StoreImages returns the images of the stores that run in the cluster.
func (s *Stack) StoreImages() []string {
	var images []string
	if s.Postgres.Kind == InCluster {
		images = append(images, s.Postgres.Image)
	}
	if s.Redis.Kind == InCluster {
		images = append(images, s.Redis.Image)
	}
	return images
}

// PostgresServer returns the size of the in-cluster PostgreSQL server.
func (s *Stack) PostgresServer() postgrestuning.Inputs {
	p := s.Postgres
	return postgrestuning.Inputs{
		Memory:      size.MiB(int64(p.MemoryMiB)),
		Cores:       p.Cores,
		Connections: p.Connections,
	}
}

// Database returns the spec of the RDS database. ActiveQueries is the number of connections that
// the services' pools can open, because each connection may run a query.
func (s *Stack) Database() rdsspec.Database {
	p := s.Postgres
	activeQueries, err := scaling.PoolConnections(s.Profiles(), p.Connections)
	if err != nil {
		activeQueries = 0 // validateConnections reports the error
	}
	return rdsspec.Database{
		Identifier: s.Name(), InstanceClass: p.InstanceClass, Connections: p.Connections, ActiveQueries: activeQueries,
		StorageGiB: p.StorageGiB, BackupDays: p.BackupDays,
	}
}

// Cache returns the spec of the ElastiCache cluster.
func (s *Stack) Cache() elasticachespec.Cluster {
	r := s.Redis
	return elasticachespec.Cluster{
		Identifier: s.Name(), NodeType: r.NodeType, Shards: r.Shards, ReplicasPerShard: r.ReplicasPerShard, SnapshotDays: r.SnapshotDays,
	}
}

// DocumentDB returns the spec of the DocumentDB cluster. Its name has a suffix, because the RDS
// database has the stack's name. Both services keep the names of subnet groups, clusters,
// instances and snapshots in one namespace (RDS API Reference, CreateDBSubnetGroup).
func (s *Stack) DocumentDB() docdbspec.Cluster {
	m := s.Mongo
	return docdbspec.Cluster{Identifier: s.Name() + "-mongo", InstanceClass: m.InstanceClass, Instances: m.Instances, BackupDays: m.BackupDays}
}
