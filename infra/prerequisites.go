package main

import "fmt"

// checkPrerequisites returns an error if a program that the stack's kubeconfig runs is
// not installed. Without the check, the first Kubernetes object would fail after half an
// hour, with a message that does not name the program.
func checkPrerequisites(lookPath func(program string) (string, error)) error {
	if _, err := lookPath("aws"); err != nil {
		return fmt.Errorf("the program aws is not installed: %w; the stack's kubeconfig gets its tokens from `aws eks get-token`: install the AWS CLI, version 2 (docs/deploy.md, \"Prerequisites\")", err)
	}
	return nil
}
