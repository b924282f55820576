// Package aws is the stand-in for the Pulumi AWS provider. It contains:
//
//   - the plugin pulumi-resource-aws for the Pulumi engine of a sandbox
//   - the program `aws`, which prints the credential of the cluster and the password of the registry
//   - the commands `sandbox aws`, with which tests change objects outside of Pulumi and
//     make calls fail
//
// The rules of AWS are in package rules, and the types of all properties are in package schema.
// The objects are in package store, and configured faults are in package faults. The stand-in
// never connects to AWS, and it does not start outside a sandbox.
package aws
