// Package aws is the stand-in for the Pulumi AWS provider. It contains the plugin
// pulumi-resource-aws for the engine of a sandbox. It contains the program `aws`,
// which prints the cluster's credential. Its commands make the stand-in drift, fail
// or slow down, for tests.
//
// The rules of AWS are in package rules, the property tables in package schema, the
// objects in package store, and configured faults in package faults. Nothing here
// connects to AWS, and nothing here starts outside a sandbox.
package aws
