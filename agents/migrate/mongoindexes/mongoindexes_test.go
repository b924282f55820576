package mongoindexes

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/FerretDB/FerretDB/ferretdb"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/progressive-framework/platform/agents/internal/testservers"
)

var server *testservers.Postgres

func TestMain(m *testing.M) {
	os.Exit(testservers.Main(m, func(ctx context.Context) (_ testservers.Server, err error) {
		server, err = testservers.StartPostgres(ctx, nil)
		return server, err
	}))
}

var discardLog = slog.New(slog.DiscardHandler)

// startFerretDB starts a FerretDB, and returns a database of it. sentCommands returns the commands
// createIndexes and profile that the driver has sent so far. FerretDB is the only server on this
// machine that has MongoDB's protocol.
func startFerretDB(t *testing.T) (db *mongo.Database, sentCommands func() []string) {
	t.Helper()
	ferret, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: "127.0.0.1:0"}, Logger: discardLog,
		Handler: "postgresql", PostgreSQLURL: server.CreateDatabase(t),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ferret.Run(ctx) }()

	var (
		mu   sync.Mutex
		sent []string
	)
	client, err := mongo.Connect(options.Client().ApplyURI(ferret.MongoDBURI()).SetMonitor(&event.CommandMonitor{
		Started: func(_ context.Context, e *event.CommandStartedEvent) {
			if e.CommandName != "createIndexes" && e.CommandName != "profile" {
				return
			}
			command := bson.D{}
			if err := bson.Unmarshal(e.Command, &command); err != nil {
				t.Error(err)
			}
			// The driver adds these fields to every command.
			command = slices.DeleteFunc(command, func(e bson.E) bool { return e.Key == "lsid" || e.Key == "$db" })
			encoded, err := bson.MarshalExtJSON(command, false, false)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, string(encoded))
		},
	}))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, client.Disconnect(context.WithoutCancel(t.Context())))
		cancel()
		<-done
	})
	return client.Database("progressive_framework_v5"), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(sent)
	}
}

// TestUpSendsTheExpectedCommands compares the text of all commands, because no MongoDB server is
// available to execute them.
func TestUpSendsTheExpectedCommands(t *testing.T) {
	db, sentCommands := startFerretDB(t)
	_ = Up(t.Context(), db, Options{}, discardLog) // the next test checks the commands that FerretDB rejects
	require.Equal(t, []string{
		`{"createIndexes":"agent_conversations","indexes":[{"key":{"userId":1,"agentType":1,"createdAt":-1},"name":"idx_user_agent_conversations"}]}`,
		`{"createIndexes":"agent_coordination","indexes":[{"key":{"masterId":1,"status":1,"updatedAt":-1},"name":"idx_coordination_active"}]}`,
		`{"createIndexes":"nutrition_data","indexes":[{"key":{"userId":1,"date":-1},"name":"idx_nutrition_user_date"}]}`,
		`{"createIndexes":"workout_sessions","indexes":[{"key":{"userId":1,"completedAt":-1},"name":"idx_workout_user_completed"}]}`,
		`{"createIndexes":"nutrition_foods","indexes":[{"key":{"name":"text","description":"text","tags":"text"},"name":"idx_nutrition_search"}]}`,
		`{"createIndexes":"exercises","indexes":[{"key":{"name":"text","description":"text","muscleGroups":"text"},"name":"idx_exercise_search"}]}`,
		`{"createIndexes":"user_progress","indexes":[{"key":{"userId":1,"metricType":1,"recordedAt":-1},"name":"idx_progress_tracking"}]}`,
		`{"createIndexes":"agent_messages","indexes":[{"key":{"fromAgent":1,"toAgent":1,"timestamp":-1},"name":"idx_agent_communication"}]}`,
		`{"createIndexes":"agent_sessions","indexes":[{"key":{"expiresAt":1},"expireAfterSeconds":0,"name":"idx_session_ttl"}]}`,
		`{"createIndexes":"users","indexes":[{"key":{"email":1},"name":"idx_active_user_email","unique":true,"partialFilterExpression":{"status":"active"}}]}`,
		`{"profile":1,"slowms":100}`,
	}, sentCommands())
}

// TestIndexesAreCreatedDespiteOtherErrors checks that Up creates the indexes that FerretDB
// supports, although other indexes fail. Further and concurrent runs must change nothing.
func TestIndexesAreCreatedDespiteOtherErrors(t *testing.T) {
	db, _ := startFerretDB(t)
	listIndexes := func() (names []string) {
		for _, index := range indexes {
			specs, err := db.Collection(index.collection).Indexes().ListSpecifications(t.Context())
			require.NoError(t, err)
			for _, spec := range specs {
				names = append(names, index.collection+" "+spec.Name+" "+spec.KeysDocument.String())
			}
		}
		return names
	}
	err := Up(t.Context(), db, Options{}, discardLog)
	for _, unsupported := range []string{ // if a newer FerretDB supports one, move it to the list below
		"idx_nutrition_search", "idx_exercise_search", "idx_session_ttl", "idx_active_user_email", "profiler",
	} {
		require.ErrorContains(t, err, unsupported)
	}
	createdIndexes := listIndexes()
	for _, created := range []string{
		"idx_user_agent_conversations", "idx_coordination_active", "idx_nutrition_user_date",
		"idx_workout_user_completed", "idx_progress_tracking", "idx_agent_communication",
	} {
		require.Contains(t, strings.Join(createdIndexes, "\n"), created)
		require.NotContains(t, err.Error(), created)
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { _ = Up(t.Context(), db, Options{}, discardLog) })
	}
	wg.Wait()
	require.Equal(t, createdIndexes, listIndexes())
}

// TestErrorNamesTheConflictingIndexAndTheFix creates an index of the same name with other keys.
func TestErrorNamesTheConflictingIndexAndTheFix(t *testing.T) {
	db, _ := startFerretDB(t)
	other := mongo.IndexModel{Keys: indexKeys("date", ascending), Options: options.Index().SetName("idx_nutrition_user_date")}
	_, err := db.Collection("nutrition_data").Indexes().CreateOne(t.Context(), other)
	require.NoError(t, err)
	require.ErrorContains(t, Up(t.Context(), db, Options{}, discardLog), "create index idx_nutrition_user_date of nutrition_data (if an index of this name has other keys, drop it and run again)")
}
