// Package remotewrite only has a test. It proves with Prometheus' own code that the requests to a
// workspace of Amazon Managed Service for Prometheus are signed. The test is in the module that pins
// the stacks' release of Prometheus, because Debian's release does not sign.
package remotewrite
