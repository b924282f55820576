package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/size"
)

// storeRules are the checks of a store, by its kind.
type storeRules struct {
	key, kind string
	// sizeKey is the key of the store's size, which the managed kind requires. size is the key's
	// value. checkSize checks that AWS has this size.
	sizeKey   string
	size      string
	checkSize func(string) error
	// managed and inCluster check several keys together.
	managed, inCluster jointRule
	// image is the reference of the image of the kind inCluster.
	image string
	// snapshotKey is the managed kind's key of the snapshot, and snapshot is the key's value.
	// automatic is the beginning of the names of automatic snapshots.
	snapshotKey, snapshot, automatic string
}

// jointRule checks several keys of a store together. Its error is reported at key, because a change
// of this key can fix the store. value is the key's current value.
type jointRule struct {
	key   string
	value any
	check func() error
}

// storeRules returns the checks of all stores with their current values.
func (s *Stack) storeRules() []storeRules {
	newConnectionsRule := func(check func() error) jointRule {
		return jointRule{"connections", s.Postgres.Connections, check}
	}
	return []storeRules{
		{
			key: "postgres", kind: string(s.Postgres.Kind), sizeKey: "instanceClass", size: s.Postgres.InstanceClass,
			checkSize: func(class string) error { _, err := postgrestuning.LookupClass(class); return err },
			managed:   newConnectionsRule(func() error { _, _, err := s.Database().Complete(); return err }),
			inCluster: newConnectionsRule(func() error { _, err := postgrestuning.New(s.PostgresServer()); return err }),
			image:     s.Postgres.Image, snapshotKey: "snapshotIdentifier", snapshot: s.Postgres.SnapshotIdentifier, automatic: storespec.AutomaticDatabasePrefix,
		},
		{
			key: "redis", kind: string(s.Redis.Kind), sizeKey: "nodeType", size: s.Redis.NodeType,
			checkSize: func(node string) error { _, err := redistuning.LookupMemory(node); return err },
			managed:   jointRule{"shards", s.Redis.Shards, func() error { _, _, err := s.Cache().Complete(); return err }},
			inCluster: jointRule{"memoryMiB", cmp.Or(s.Redis.MemoryMiB, defaultRedisMiB), s.checkRedisInCluster},
			image:     s.Redis.Image, snapshotKey: "snapshotName", snapshot: s.Redis.SnapshotName, automatic: storespec.AutomaticCachePrefix,
		},
		{
			key: "mongo", kind: string(s.Mongo.Kind), sizeKey: "instanceClass", size: s.Mongo.InstanceClass,
			checkSize:   func(string) error { _, err := s.DocumentDB().Complete(); return err },
			managed:     jointRule{"instances", s.Mongo.Instances, func() error { _, err := s.DocumentDB().Complete(); return err }},
			snapshotKey: "snapshotIdentifier", snapshot: s.Mongo.SnapshotIdentifier, automatic: storespec.AutomaticDatabasePrefix,
		},
	}
}

// redisDiskFactor is the size of the smallest volume of a Redis node, divided by the node's memory.
// The append-only file grows to twice the data before Redis rewrites it. During the rewrite the
// volume has the old file, the new one and a snapshot (Redis, "Redis persistence").
const redisDiskFactor = 2

// checkRedisInCluster checks the memory and the volume of a Redis node in the cluster. The volume
// holds all data at least twice. The default memory is always valid.
func (s *Stack) checkRedisInCluster() error {
	memoryMiB, storageGiB := cmp.Or(s.Redis.MemoryMiB, defaultRedisMiB), volumeGiB(s.Redis.StorageGiB)
	if storageGiB<<10 < redisDiskFactor*memoryMiB {
		return fmt.Errorf("needs a volume of %d GiB, and redis.storageGiB is %d: the volume holds the data at least twice; raise redis.storageGiB, or lower redis.memoryMiB",
			(redisDiskFactor*memoryMiB+1023)>>10, storageGiB) // rounded up to GiB
	}
	if s.Redis.MemoryMiB == 0 {
		return nil
	}
	_, err := redistuning.New(redistuning.Inputs{Memory: size.MiB(int64(s.Redis.MemoryMiB))})
	return err
}

// validateStores checks the keys of each store for its kind.
func validateStores(s *Stack) field.ErrorList {
	problems := append(validateBackupRegions(s), validateMongoURL(s)...)
	stackWithValidName := *s
	if !routing.EnvironmentPattern.MatchString(s.Environment) {
		stackWithValidName.Environment = "x" // validate reports the environment; otherwise each store would report it again
	}
	for _, store := range stackWithValidName.storeRules() {
		keyPath := path(store.key)
		switch store.kind {
		case string(Managed):
			if s.Cluster.Nodes == NodesOwn {
				problems = append(problems, field.Invalid(keyPath.Child("kind"), store.kind,
					"pods mount its password with an add-on that the stack installs only on nodes that it manages; choose another kind, or set cluster.nodes to "+string(NodesAutoScaling)))
			}
			problems = append(problems, store.checkManaged(keyPath)...)
			if store.snapshot == "" {
				continue
			}
			if err := storespec.CheckSnapshotName(store.snapshot, store.automatic); err != nil {
				problems = append(problems, field.Invalid(keyPath.Child(store.snapshotKey), store.snapshot, err.Error()))
			}
		case string(InCluster):
			if store.inCluster.check != nil { // MongoDB has no kind inCluster: validateChoices refuses it
				problems = append(problems, store.checkInCluster(s, keyPath)...)
			}
		}
	}
	return problems
}

// validateBackupRegions checks the regions of the copies of the backups of PostgreSQL and DocumentDB.
func validateBackupRegions(s *Stack) field.ErrorList {
	var problems field.ErrorList
	check := func(key, copyRegion string, isManaged bool, checkCopy func(source, target string) error) {
		if copyRegion == "" || !isManaged {
			return
		}
		if err := checkCopy(s.Region, copyRegion); err != nil {
			problems = append(problems, field.Invalid(path(key), copyRegion, err.Error()))
		}
	}
	check("postgres.backupRegion", s.Postgres.BackupRegion, s.Postgres.Kind == Managed, regions.CheckBackupCopy)
	check("mongo.backupRegion", s.Mongo.BackupRegion, s.Mongo.Kind == MongoManaged, regions.CheckVaultCopy)
	return problems
}

// checkManaged checks the size of a managed store, and then the keys that depend on the size.
func (r storeRules) checkManaged(keyPath *field.Path) field.ErrorList {
	if r.size == "" {
		return field.ErrorList{field.Required(keyPath.Child(r.sizeKey), "the size of a managed store")}
	}
	if err := r.checkSize(r.size); err != nil {
		return field.ErrorList{field.Invalid(keyPath.Child(r.sizeKey), r.size, plainMessage(err))}
	}
	if err := r.managed.check(); err != nil {
		return field.ErrorList{field.Invalid(keyPath.Child(r.managed.key), r.managed.value, plainMessage(err))}
	}
	return nil
}

// checkInCluster checks the image, the storage class and the memory of a store in the cluster.
func (r storeRules) checkInCluster(s *Stack, keyPath *field.Path) field.ErrorList {
	var problems field.ErrorList
	switch {
	case r.image == "":
		problems = append(problems, field.Required(keyPath.Child("image"), "the image of the in-cluster variant, such as "+AccountRegistry+"debian/redis:7"))
	case !isImage(r.image):
		problems = append(problems, field.Invalid(keyPath.Child("image"), r.image,
			fmt.Sprintf("must be %sREPOSITORY:TAG, of the account's own registry, or a reference that ends in @sha256:DIGEST", AccountRegistry)))
	}
	if s.Cluster.Nodes == NodesOwn && !s.isSet("storageClass") {
		problems = append(problems, field.Required(path("storageClass"), "the class of the volumes; the stack creates a class only if it manages the nodes"))
	}
	if r.key == "postgres" && s.Postgres.MemoryMiB == 0 {
		return append(problems, field.Required(keyPath.Child("memoryMiB"), "the memory of the server in MiB, "+formatBounds("postgres.memoryMiB")))
	}
	if err := r.inCluster.check(); err != nil {
		problems = append(problems, field.Invalid(keyPath.Child(r.inCluster.key), r.inCluster.value, plainMessage(err)))
	}
	return problems
}

// isImage reports whether a text is an image of the account's own registry by its tag, or any
// image by its digest.
func isImage(text string) bool {
	match := imageReference.FindStringSubmatch(text)
	return match != nil && len(match[2]) <= maxRepository
}

// plainMessage returns the message of the innermost error of a component, without the name of the
// component's package.
func plainMessage(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			break
		}
		err = inner
	}
	return strings.TrimPrefix(err.Error(), "tuning: ")
}
