// Package engine has the engine tests. They run the real Pulumi CLI and engine, the real
// program, the AWS stand-in, and a real Kubernetes API server with nodes that kwok
// simulates. They do not import the program, but run it as a user does. `make test` builds
// the executables and runs the tests.
//
// Where a behaviour is tested:
//
//   - lifecycle_test.go: up, unchanged up, drift, refresh and destroy
//   - failed_up_test.go, killed_up_test.go, random_faults_test.go: an up that does not finish
//   - changes_test.go, changes_table_test.go: a change of each configuration key of a stack that exists
//   - configurations_test.go: generated configurations, and keys that nothing reads
//   - upgrade_test.go: an upgrade of the cluster by one Kubernetes minor version
//   - badinput_test.go: a wrong configuration, file or passphrase
//   - production_test.go, secrets_test.go, migration_test.go: steps of TestLifecycle on the stack prod
//   - existing_test.go: a stack in a cluster that exists already
//   - existingvpc_test.go: a stack in a VPC that exists already
//   - reach_test.go: a deployment from inside the VPC, when the API endpoint is private
//   - admission_test.go: which pods the API server refuses, a step of TestLifecycle
//   - ci_test.go: pf ci applies only the approved plan, and reports drift
//   - policy_test.go: the policy pack in a preview and in an up
//   - source_test.go: an image changes with its sources
//   - bootstrap_test.go: the project infra/bootstrap, with the IAM roles of the CI workflows
//   - promotion_test.go: one stack builds and signs, another runs the same digests
//   - shell_test.go: a shell of `make env` changes nothing in the checkout
package engine
