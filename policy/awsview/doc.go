// Package awsview holds typed views of the inputs of AWS resources. They are
// generated from the source of the pulumi-aws SDK, so that a rule that names a
// property which does not exist does not compile.
package awsview

//go:generate go run ../gen -package awsview
