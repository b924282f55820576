// Package aws owns the stand-in for the Pulumi AWS provider: the plugin that
// the engine of a sandbox finds as pulumi-resource-aws, the `aws` program that
// hands out the cluster's credential, and the commands by which a test makes
// the stand-in drift, fail and slow down.
//
// It owns no rule of AWS: those are rows in package rules, over structure that
// package schema holds; what exists lies in package store, faults in package
// faults. Nothing here reaches AWS, and nothing here starts outside a sandbox.
package aws
