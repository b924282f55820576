// Package live has the e2e tests: the sandbox of `make up`, with real nodes, real pods
// and real traffic. They need root and fixed ports of the machine, and keep the sandbox
// running. `make e2e` runs them.
package live
