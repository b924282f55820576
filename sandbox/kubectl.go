package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

// kubectl runs the genuine kubectl of the module k8s.io/kubectl and returns its exit code.
func kubectl() int { return cli.Run(cmd.NewDefaultKubectlCommand()) }
