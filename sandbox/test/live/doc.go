// Package live has the e2e tests. They test the running sandbox of `make up`, with a real
// node, real pods and real traffic. They need root and fixed ports of the machine. After the
// tests the sandbox still runs. `make e2e` runs them.
package live
