// Package awssdk pins the versions of two modules that the generator of package models
// reads. aws-sdk-go has AWS's API models with all constraints. It is large and no longer
// maintained, so no other module of the repository requires it. The module of EC2 in
// aws-sdk-go-v2 has the newer instance types.
package awssdk

import (
	_ "github.com/aws/aws-sdk-go"                      // the folder models/apis
	_ "github.com/aws/aws-sdk-go-v2/service/ec2/types" // enums.go
)
