package rules

import (
	"fmt"
	"runtime/debug"
)

// APIError is an error that AWS's API would return. Code is AWS's error code.
type APIError struct {
	Code, Message string
}

func (e *APIError) Error() string { return fmt.Sprintf("api error %s: %s", e.Code, e.Message) }

// refuse returns the error with which AWS refuses a call. code is AWS's error code, message is
// a format for args.
func refuse(code, message string, args ...any) error {
	return &APIError{code, fmt.Sprintf(message, args...)}
}

// UnknownTypeError is the error for a resource type or a function without rules in this
// package.
type UnknownTypeError struct{ Token string }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("the AWS stand-in does not know %s: add its rule to %s, run `go generate ./aws/schema` in sandbox/ "+
		"(see sandbox/aws/README.md), or preview against real AWS", e.Token, RowFiles(e.Token))
}

// recoverPanic turns a panic of a row's code into an error that names the row. So the
// provider can still serve other resources.
func recoverPanic(token string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the AWS stand-in has a fault in the row of %s (%s): %v\n%s", token, RowFiles(token), p, debug.Stack())
	}
}
