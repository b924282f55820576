package rules

import "fmt"

// APIError is an error of AWS, with a code of AWS.
type APIError struct {
	Code, Message string
}

func (e *APIError) Error() string { return fmt.Sprintf("api error %s: %s", e.Code, e.Message) }

// refuse returns an error of AWS with a code and a formatted message.
func refuse(code, message string, args ...any) error {
	return &APIError{code, fmt.Sprintf(message, args...)}
}

// UnknownTypeError is returned for a resource type or function without a row.
type UnknownTypeError struct{ Token string }

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("the AWS stand-in does not know %s: add its rule to %s, run `go generate ./aws/schema` in sandbox/ "+
		"(see sandbox/aws/README.md), or preview against real AWS", e.Token, FileOf(e.Token))
}
