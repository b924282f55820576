package rules

import "fmt"

// APIError is a refusal by AWS: its code is one that AWS uses.
type APIError struct {
	Code, Message string
}

func (e *APIError) Error() string { return fmt.Sprintf("api error %s: %s", e.Code, e.Message) }

// refuse returns a refusal by AWS.
func refuse(code, message string, args ...any) error {
	return &APIError{code, fmt.Sprintf(message, args...)}
}

// UnknownTypeError says that a resource type or function has no row.
type UnknownTypeError struct{ Token string }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("the AWS stand-in does not know %s: add its rule to %s, run `go generate ./aws/schema` in sandbox/ "+
		"(see sandbox/aws/README.md), or preview against real AWS", e.Token, FileOf(e.Token))
}
