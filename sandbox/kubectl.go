package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

// runKubectl runs the real kubectl, which is in the module k8s.io/kubectl, and returns its exit
// code.
func runKubectl() int { return cli.Run(cmd.NewDefaultKubectlCommand()) }
