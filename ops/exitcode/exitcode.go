// Package exitcode has the exit codes of the operator's command.
package exitcode

import "errors"

// The exit codes.
const (
	// Found: the command worked, and its report has findings.
	Found = 1
	// Usage: the command line or the environment is wrong. Nothing was done.
	Usage = 2
	// Incomplete: something could not be read or written, so that the result is incomplete.
	Incomplete = 3
	// Drifted: pf ci drift found a difference. If it can't read something, the exit code is Failed.
	Drifted = 3
	// Failed: Pulumi failed, or another program or server failed that a command of pf ci needs.
	Failed = 4
	// Interrupted is 128 plus the number of SIGINT, as in shells.
	Interrupted = 130
)

// Error is an error with an exit code.
type Error struct {
	Code int
	// Err is the message. It is nil if the report already has it.
	Err error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "see the report"
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// FromError returns the exit code of a command's error. silent means that the error has no message.
// An error without an exit code is a wrong command line.
func FromError(err error) (code int, silent bool) {
	var e *Error
	switch {
	case err == nil:
		return 0, true
	case errors.As(err, &e):
		return e.Code, e.Err == nil
	}
	return Usage, false
}
