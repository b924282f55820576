// Package awsview holds typed views of the inputs of AWS resources. They are
// generated from the source of the pulumi-aws SDK. So a rule with a wrong property
// name does not compile.
package awsview

//go:generate go run ../gen -package awsview
