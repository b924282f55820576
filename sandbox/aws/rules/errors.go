package rules

import (
	"fmt"
	"runtime/debug"
)

// APIError is an error of AWS, with a code of AWS.
type APIError struct {
	Code, Message string
}

func (e *APIError) Error() string { return fmt.Sprintf("api error %s: %s", e.Code, e.Message) }

// refuse returns an error of AWS with a code and a formatted message.
func refuse(code, message string, args ...any) error {
	return &APIError{code, fmt.Sprintf(message, args...)}
}

// UnknownTypeError is returned for a resource type or function that the stand-in has no
// rules for: no Row of this package.
type UnknownTypeError struct{ Token string }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("the AWS stand-in does not know %s: add its rule to %s, run `go generate ./aws/schema` in sandbox/ "+
		"(see sandbox/aws/README.md), or preview against real AWS", e.Token, FileOf(e.Token))
}

// recoverPanic turns a panic of a row's code into an error that names the row. So the
// provider can still serve other resources.
func recoverPanic(token string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the AWS stand-in has a fault in the row of %s (%s): %v\n%s", token, FileOf(token), p, debug.Stack())
	}
}
