// Package admission tests the platform's ValidatingAdmissionPolicy. It evaluates the rules
// of components/admissionpolicy/podrules with the code of the API server, without a
// running API server. The engine tests use the policy in a running API server.
package admission
