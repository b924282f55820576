package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The errors that a handler acts on; others are faults of ours.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the database is away, full or too slow. The same request
	// may succeed a little later, so it is a 503.
	ErrUnavailable = errors.New("the database is unavailable")
)

// wrap says what was being done and which of our errors it is.
func wrap(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err) // the caller has left
	case notSent(err), broken(err), rolledBack(err), errors.Is(err, context.DeadlineExceeded), code(err) == "57014":
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// code is the SQLSTATE of an error that the server sent; PostgreSQL's manual,
// appendix A. Those in use: 40001 serialization failure, 40P01 deadlock, 53300
// too many connections, 57014 statement timeout, 57P01 to 57P03 the server goes
// down or comes up.
func code(err error) string {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return server.Code
	}
	return ""
}

// rolledBack: the server itself took everything back and asks for a retry.
func rolledBack(err error) bool { return code(err) == "40001" || code(err) == "40P01" }

// notSent: the statement never reached the server.
func notSent(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting || pgconn.SafeToRetry(err)
}

// broken: the connection ended amid the statement, which may or may not have
// been done.
func broken(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	switch code(err) {
	case "57P01", "57P02", "57P03":
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
