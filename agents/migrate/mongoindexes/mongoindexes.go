// Package mongoindexes brings a MongoDB database to the indexes of the seed's section
// "MongoDB Performance Tuning" and sets its profiler. It owns their names,
// keys and options; documents are those of the services that write them.
//
// Every step may be repeated and may run beside services and beside itself: an
// index that is there as written is left alone by the server. Since MongoDB
// 4.2 every build is as the seed's "background" asked for, and the option is
// gone. The seed's read preference is a client's own, set in its URI.
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

// SlowQuery is what the profiler records from on; seed, "MongoDB Performance
// Tuning".
const SlowQuery = 100 * time.Millisecond

// The kinds of a key.
const (
	ascending  = 1
	descending = -1
	text       = "text"
)

type index struct {
	collection, name string
	keys             bson.D
	options          *options.IndexOptionsBuilder // nil: none but the name
}

// indexes are the seed's, in its order.
var indexes = []index{
	{"agent_conversations", "idx_user_agent_conversations", keys("userId", ascending, "agentType", ascending, "createdAt", descending), nil},
	{"agent_coordination", "idx_coordination_active", keys("masterId", ascending, "status", ascending, "updatedAt", descending), nil},
	{"nutrition_data", "idx_nutrition_user_date", keys("userId", ascending, "date", descending), nil},
	{"workout_sessions", "idx_workout_user_completed", keys("userId", ascending, "completedAt", descending), nil},
	{"nutrition_foods", "idx_nutrition_search", keys("name", text, "description", text, "tags", text), nil},
	{"exercises", "idx_exercise_search", keys("name", text, "description", text, "muscleGroups", text), nil},
	{"user_progress", "idx_progress_tracking", keys("userId", ascending, "metricType", ascending, "recordedAt", descending), nil},
	{"agent_messages", "idx_agent_communication", keys("fromAgent", ascending, "toAgent", ascending, "timestamp", descending), nil},
	{"agent_sessions", "idx_session_ttl", keys("expiresAt", ascending), options.Index().SetExpireAfterSeconds(0)},
	{"users", "idx_active_user_email", keys("email", ascending),
		options.Index().SetUnique(true).SetPartialFilterExpression(bson.D{{Key: "status", Value: "active"}})},
}

// keys takes names and kinds by turns; their order is the index's.
func keys(namesAndKinds ...any) (d bson.D) {
	for pair := range slices.Chunk(namesAndKinds, 2) {
		d = append(d, bson.E{Key: pair[0].(string), Value: pair[1]})
	}
	return d
}

// Up builds every index that the database lacks and sets its profiler. One
// step that fails does not keep back the others; all errors are returned.
func Up(ctx context.Context, db *mongo.Database, log *slog.Logger) error {
	var errs []error
	for _, index := range indexes {
		model := mongo.IndexModel{Keys: index.keys, Options: options.Index().SetName(index.name)}
		if index.options != nil {
			model.Options.Opts = append(model.Options.Opts, index.options.Opts...)
		}
		if _, err := db.Collection(index.collection).Indexes().CreateOne(ctx, model); err != nil {
			errs = append(errs, fmt.Errorf("index %s of %s (if another index stands in its place, drop that and run again): %w", index.name, index.collection, err))
			continue
		}
		log.InfoContext(ctx, "index stands", "collection", index.collection, "index", index.name)
	}
	// Level 1 records slow operations alone; the seed's 2 would record all.
	profile := bson.D{{Key: "profile", Value: 1}, {Key: "slowms", Value: SlowQuery.Milliseconds()}}
	if err := db.RunCommand(ctx, profile).Err(); err != nil {
		errs = append(errs, fmt.Errorf("set the profiler to level 1: %w", err))
	}
	return errors.Join(errs...)
}
