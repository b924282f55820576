// Package live holds the e2e tests: the sandbox that `make up` makes, with real
// nodes, real pods and real traffic. They need root and this machine's ports,
// and leave the sandbox up. `make e2e` runs them.
package live
