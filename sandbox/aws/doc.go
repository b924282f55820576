// Package aws is the stand-in for the Pulumi AWS provider. It has the plugin
// pulumi-resource-aws for the engine of a sandbox, the program `aws`, which prints
// the cluster's credential, and the commands by which a test makes the stand-in
// drift, fail or slow down.
//
// The rules of AWS are in package rules, the property tables in package schema, the
// objects in package store, and configured faults in package faults. Nothing here
// connects to AWS, and nothing here starts outside a sandbox.
package aws
