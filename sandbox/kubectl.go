package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

// kubectl is kubectl: the code of k8s.io/kubectl, which is the real one.
func kubectl() int { return cli.Run(cmd.NewDefaultKubectlCommand()) }
