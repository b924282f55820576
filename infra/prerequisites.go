package main

import "fmt"

// checkPrerequisites returns an error if a program that the kubeconfig and the image provider run is
// not installed. Without the check, the first image or Kubernetes object would fail after the first
// resources exist.
func checkPrerequisites(lookPath func(program string) (string, error)) error {
	if _, err := lookPath("aws"); err != nil {
		return fmt.Errorf("the program aws is not installed: %w; the stack gets the registry's password from `aws ecr get-login-password`, and its kubeconfig gets tokens from `aws eks get-token`: install the AWS CLI, version 2 (docs/deploy.md, \"Prerequisites\")", err)
	}
	return nil
}
