package mongoindexes

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"
)

// documentDBCommands are the commands that the fake documentDB accepts. Amazon DocumentDB
// supports them (DocumentDB Developer Guide, "Supported MongoDB APIs, operations, and data
// types", column 5.0). The fake refuses all others, including some that Amazon DocumentDB
// supports. Amazon DocumentDB does not support profile, setParameter, getParameter,
// renameCollection, convertToCapped and copydb.
var documentDBCommands = []string{
	"hello", "isMaster", "ismaster", "ping", "buildInfo", "endSessions", "saslStart", "saslContinue",
	"createIndexes", "dropIndexes", "listIndexes", "create", "drop", "collMod", "listCollections", "listDatabases", "dropDatabase",
	"find", "insert", "update", "delete", "aggregate", "count", "distinct", "findAndModify", "getMore", "killCursors",
}

// notSupported is DocumentDB's error code for a command that it does not support.
const notSupported = 303

// documentDB is a fake server of Amazon DocumentDB. It stores no data, and records the names
// of the commands that it gets.
type documentDB struct {
	mu      sync.Mutex
	refused []string
	served  []string
}

// startDocumentDB starts a documentDB. It also returns a database of a client of this server.
func startDocumentDB(t *testing.T) (*documentDB, *mongo.Database) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return serveDocumentDB(t, listener), openDatabase(t, listener, "")
}

// serveDocumentDB serves the listener's connections with a new documentDB.
func serveDocumentDB(t *testing.T, listener net.Listener) *documentDB {
	t.Helper()
	server := &documentDB{}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go server.serve(conn)
		}
	}()
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return server
}

// openDatabase returns a database of a new client of the listener. uriOptions are added to the client's
// URI.
func openDatabase(t *testing.T, listener net.Listener, uriOptions string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + listener.Addr().String() + "/?directConnection=true&retryWrites=false" + uriOptions))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Disconnect(context.WithoutCancel(t.Context()))) })
	return client.Database("progressive_framework_v5")
}

// tls and tlsCAFile are the options that the platform adds to the URL of MongoDB. With them, Up
// creates indexes only on a server with a certificate of the trusted authority.
func TestCertificateOfTheServerIsVerified(t *testing.T) {
	authority := httptest.NewTLSServer(http.NotFoundHandler())
	defer authority.Close()
	tcpListener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := tls.NewListener(tcpListener, &tls.Config{Certificates: authority.TLS.Certificates})
	server := serveDocumentDB(t, listener)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw}), 0o600))

	unverified := openDatabase(t, listener, "&tls=true&serverSelectionTimeoutMS=500")
	require.ErrorContains(t, Up(t.Context(), unverified, Options{NoProfiler: true}, discardLog), "certificate signed by unknown authority")
	require.Empty(t, server.served)
	require.NoError(t, Up(t.Context(), openDatabase(t, listener, "&tls=true&tlsCAFile="+file), Options{NoProfiler: true}, discardLog))
	require.Contains(t, server.served, "createIndexes")
}

// serve replies to the messages of a connection until the connection ends.
func (d *documentDB) serve(conn net.Conn) {
	defer conn.Close()
	for {
		requestID, opcode, command, err := readMessage(conn)
		if err != nil {
			return
		}
		reply, err := bson.Marshal(d.handleCommand(command))
		if err != nil {
			return
		}
		if _, err := conn.Write(encodeReply(requestID, opcode, reply)); err != nil {
			return
		}
	}
}

// handleCommand returns the reply to a command, and records the command.
func (d *documentDB) handleCommand(command bson.Raw) bson.D {
	elements, err := command.Elements()
	if err != nil || len(elements) == 0 {
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "no command"}}
	}
	name := elements[0].Key()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(documentDBCommands, name) {
		d.refused = append(d.refused, name)
		return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: notSupported}, {Key: "errmsg", Value: "Feature not supported: " + name}}
	}
	d.served = append(d.served, name)
	return bson.D{ // every reply has the fields of the reply to hello
		{Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true}, {Key: "helloOk", Value: true},
		{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: 48_000_000}, {Key: "maxWriteBatchSize", Value: 100_000},
		{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 13}, {Key: "ok", Value: 1.0},
	}
}

// readMessage reads an OP_MSG, or the OP_QUERY of a client's first hello.
func readMessage(conn io.Reader) (requestID int32, opcode wiremessage.OpCode, command bson.Raw, err error) {
	lengthBytes := make([]byte, 4)
	if _, err := io.ReadFull(conn, lengthBytes); err != nil {
		return 0, 0, nil, err
	}
	length := binary.LittleEndian.Uint32(lengthBytes)
	if length < 16 || length > 1<<20 {
		return 0, 0, nil, errors.New("invalid length of a message")
	}
	message := append(lengthBytes, make([]byte, length-4)...)
	if _, err := io.ReadFull(conn, message[4:]); err != nil {
		return 0, 0, nil, err
	}
	_, requestID, _, opcode, body, ok := wiremessage.ReadHeader(message)
	if !ok {
		return 0, 0, nil, errors.New("invalid header of a message")
	}
	// An OP_MSG has 4 bytes of flags and the kind of its first section. An OP_QUERY has flags,
	// a name that ends with 0, and two numbers.
	skip := 5
	if opcode == wiremessage.OpQuery { //nolint:staticcheck // the driver sends its first hello by it
		skip = 4 + slices.Index(body[4:], 0) + 1 + 8
	}
	if len(body) < skip+4 {
		return 0, 0, nil, errors.New("body of a message is too short")
	}
	document := body[skip:]
	size := binary.LittleEndian.Uint32(document)
	if int(size) > len(document) {
		return 0, 0, nil, errors.New("document of a message is too long")
	}
	return requestID, opcode, bson.Raw(document[:size]), nil
}

// encodeReply returns the message with the reply to a request. The reply to an OP_MSG is an
// OP_MSG, and the reply to an OP_QUERY is an OP_REPLY.
func encodeReply(requestID int32, opcode wiremessage.OpCode, reply []byte) []byte {
	replyOpcode, body := wiremessage.OpMsg, append(make([]byte, 5), reply...)
	if opcode == wiremessage.OpQuery { //nolint:staticcheck // the driver sends its first hello by it
		// The prefix has the flags, the cursor id, the index of the first document, and the number
		// of documents (1).
		prefix := make([]byte, 20)
		prefix[16] = 1
		replyOpcode, body = wiremessage.OpReply, append(prefix, reply...)
	}
	start, message := wiremessage.AppendHeaderStart(nil, 1, requestID, replyOpcode)
	message = append(message, body...)
	binary.LittleEndian.PutUint32(message[start:], uint32(len(message)))
	return message
}

// Without the profiler, Up sends only commands that DocumentDB supports.
func TestUpSendsOnlyCommandsThatDocumentDBSupports(t *testing.T) {
	server, db := startDocumentDB(t)
	require.NoError(t, Up(t.Context(), db, Options{NoProfiler: true}, discardLog))
	require.Empty(t, server.refused)
	created := slices.DeleteFunc(slices.Clone(server.served), func(name string) bool { return name != "createIndexes" })
	require.Len(t, created, len(indexes))
}

// With the profiler, Up returns DocumentDB's error.
func TestUpFailsIfTheServerHasNoProfiler(t *testing.T) {
	server, db := startDocumentDB(t)
	err := Up(t.Context(), db, Options{}, discardLog)
	require.ErrorContains(t, err, "set the profiler to level 1")
	require.ErrorContains(t, err, "Feature not supported: profile")
	require.Equal(t, []string{"profile"}, server.refused)
}
