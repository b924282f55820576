// Package componenttest tests the components that have resources: what they
// refuse, what they register, and the properties on which safety depends. The
// tests run against Pulumi's mocks; no engine and no provider starts.
//
// All components are tested in this one package. Otherwise the test binary of each component
// would link the AWS and Kubernetes SDKs again, which takes longer than all tests. The
// packages without an SDK have tests of their own.
package componenttest
