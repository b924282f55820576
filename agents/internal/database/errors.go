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

// Errors that handlers act on. Other errors are internal.
var (
	// ErrNotFound means that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable means that the database is down, full or too slow. The same request may
	// succeed later, so the response has status 503.
	ErrUnavailable = errors.New("the database is unavailable")
)

// wrapError adds the operation and, if it applies, ErrNotFound or ErrUnavailable. It returns
// nil for nil.
func wrapError(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", operation, ErrNotFound)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", operation, err) // the caller disconnected
	case isUnavailable(err):
		return fmt.Errorf("%s: %w: %w", operation, ErrUnavailable, err)
	default:
		return fmt.Errorf("%s: %w", operation, err)
	}
}

// isUnavailable reports whether the database is down, full or too slow.
func isUnavailable(err error) bool {
	isTimeout := errors.Is(err, context.DeadlineExceeded) || sqlState(err) == "57014"
	return isTimeout || isNotSent(err) || isConnectionLost(err) || isRolledBack(err)
}

// sqlState returns the SQLSTATE of an error from the server (PostgreSQL manual, appendix A),
// or "" for another error. This file uses these codes: 40001 is a serialization failure, 40P01
// a deadlock, and 57014 a statement timeout. 57P01 to 57P03 mean that the server stops or
// starts.
func sqlState(err error) string {
	if serverErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return serverErr.Code
	}
	return ""
}

// isRolledBack reports whether the server rolled the statement back because of a serialization
// failure or a deadlock. The statement may then be sent again.
func isRolledBack(err error) bool { return sqlState(err) == "40001" || sqlState(err) == "40P01" }

// credentialError means that there is no password or token for a new connection. The
// mounted file or the pod's credentials may become available later.
type credentialError struct{ error }

// Unwrap returns the cause.
func (e *credentialError) Unwrap() error { return e.error }

// isNotSent reports whether the statement did not reach the server.
func isNotSent(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, noCredential := errors.AsType[*credentialError](err)
	return connecting || noCredential || pgconn.SafeToRetry(err)
}

// isConnectionLost reports whether the connection ended during the statement. The
// server may have executed the statement.
func isConnectionLost(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	switch sqlState(err) {
	case "57P01", "57P02", "57P03":
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
