// Package exitcode has the exit codes of the operator's command.
package exitcode

import "errors"

// The exit codes.
const (
	// Found: the command worked, and what it looked at is not as it must be. Its
	// report says what.
	Found = 1
	// Usage: the command line or the environment is wrong. Nothing was done.
	Usage = 2
	// NotLooked: something could not be read, so that no answer is complete.
	NotLooked = 3
	// Drifted: pf ci drift has found a difference. If it can't read something, it exits
	// with Failed.
	Drifted = 3
	// Failed: Pulumi, or another program or server that a command of pf ci needs, has
	// failed.
	Failed = 4
	// Interrupted is 128 and SIGINT, as shells count.
	Interrupted = 130
)

// Error is an error with an exit code.
type Error struct {
	Code int
	// Err is the message; nil if the report has said it.
	Err error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "see the report"
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// FromError returns the exit code of a command's error. silent errors have no message. An
// error without a code is one of the command line.
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
