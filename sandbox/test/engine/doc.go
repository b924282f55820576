// Package engine holds the engine tests: the real Pulumi CLI and engine, the
// real program, the AWS stand-in, and a real Kubernetes API server whose nodes
// kwok simulates. They know the program from outside only, as a person at the
// keyboard does. `make test` runs them after it has built what they need.
package engine
