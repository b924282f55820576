// Package engine has the engine tests: the real Pulumi CLI and engine, the real program,
// the AWS stand-in, and a real Kubernetes API server with nodes that kwok simulates. They
// do not import the program, but run it as a user does. `make test` builds what they need
// and runs them.
package engine
