// Package admission has the test of the platform's ValidatingAdmissionPolicy: the API
// server's own code evaluates the rules of components/admissionpolicy/podrules. The
// engine tests create the policy in an API server.
package admission
