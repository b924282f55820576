// Package mongoindexes creates the indexes of the design document's section "MongoDB
// Performance Tuning" in a MongoDB database. It also sets the server's profiler, unless
// the server is DocumentDB. It owns the indexes' names, keys and options. Services own
// the documents.
//
// Each step may be repeated, and may run while services or other runs are active. The server
// keeps an index that already exists with the same definition. The design document builds
// indexes with the option "background". MongoDB 4.2 and later ignore this option, and no build
// blocks other operations for long.
package mongoindexes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// SlowQuery is the profiler's threshold (design document, "MongoDB Performance
// Tuning").
const SlowQuery = 100 * time.Millisecond

// Kinds of an index key.
const (
	ascending  = 1
	descending = -1
	text       = "text"
)

// index is the definition of an index.
type index struct {
	collection, name string
	keys             bson.D
	options          *options.IndexOptionsBuilder // nil: no option except the name
}

// indexes lists what the design document defines, in its order.
var indexes = []index{
	{"agent_conversations", "idx_user_agent_conversations", indexKeys("userId", ascending, "agentType", ascending, "createdAt", descending), nil},
	{"agent_coordination", "idx_coordination_active", indexKeys("masterId", ascending, "status", ascending, "updatedAt", descending), nil},
	{"nutrition_data", "idx_nutrition_user_date", indexKeys("userId", ascending, "date", descending), nil},
	{"workout_sessions", "idx_workout_user_completed", indexKeys("userId", ascending, "completedAt", descending), nil},
	{"nutrition_foods", "idx_nutrition_search", indexKeys("name", text, "description", text, "tags", text), nil},
	{"exercises", "idx_exercise_search", indexKeys("name", text, "description", text, "muscleGroups", text), nil},
	{"user_progress", "idx_progress_tracking", indexKeys("userId", ascending, "metricType", ascending, "recordedAt", descending), nil},
	{"agent_messages", "idx_agent_communication", indexKeys("fromAgent", ascending, "toAgent", ascending, "timestamp", descending), nil},
	{"agent_sessions", "idx_session_ttl", indexKeys("expiresAt", ascending), options.Index().SetExpireAfterSeconds(0)},
	{"users", "idx_active_user_email", indexKeys("email", ascending),
		options.Index().SetUnique(true).SetPartialFilterExpression(bson.D{{Key: "status", Value: "active"}})},
}

// indexKeys returns the keys of an index from alternating field names and kinds. The order
// of the keys matters.
func indexKeys(namesAndKinds ...any) (keys bson.D) {
	for pair := range slices.Chunk(namesAndKinds, 2) {
		keys = append(keys, bson.E{Key: pair[0].(string), Value: pair[1]})
	}
	return keys
}

// Options describe the server.
type Options struct {
	// NoProfiler is true if the server does not have the command profile. DocumentDB has
	// a parameter of the cluster instead (DocumentDB Developer Guide, "Profiling Amazon
	// DocumentDB operations"). Package components/mongo sets that parameter.
	NoProfiler bool
}

// Up creates every missing index and sets the profiler. It continues after a
// failed step and returns all errors.
func Up(ctx context.Context, db *mongo.Database, opts Options, log *slog.Logger) error {
	var errs []error
	for _, index := range indexes {
		model := mongo.IndexModel{Keys: index.keys, Options: options.Index().SetName(index.name)}
		if index.options != nil {
			model.Options.Opts = append(model.Options.Opts, index.options.Opts...)
		}
		if _, err := db.Collection(index.collection).Indexes().CreateOne(ctx, model); err != nil {
			errs = append(errs, fmt.Errorf("create index %s of %s (if an index of this name has other keys, drop it and run again): %w", index.name, index.collection, err))
			continue
		}
		log.InfoContext(ctx, "index is up to date", "collection", index.collection, "index", index.name)
	}
	if opts.NoProfiler {
		return errors.Join(errs...)
	}
	// Level 1 records only slow operations. The design document's level 2 would record
	// every operation (docs/divergences.md).
	profile := bson.D{{Key: "profile", Value: 1}, {Key: "slowms", Value: SlowQuery.Milliseconds()}}
	if err := db.RunCommand(ctx, profile).Err(); err != nil {
		errs = append(errs, fmt.Errorf("set the profiler to level 1: %w", err))
	}
	return errors.Join(errs...)
}
