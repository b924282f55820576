package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

// kubectl runs the genuine kubectl, from the module k8s.io/kubectl.
func kubectl() int { return cli.Run(cmd.NewDefaultKubectlCommand()) }
