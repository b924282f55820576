// Package awssdk pins the two modules with AWS's published API models, which go
// generate in package models reads. aws-sdk-go has all constraints. It is large and no
// longer maintained, so no other module of the repository requires it. The other module
// has the newer instance types.
package awssdk

import (
	_ "github.com/aws/aws-sdk-go"                      // the folder models/apis
	_ "github.com/aws/aws-sdk-go-v2/service/ec2/types" // enums.go
)
