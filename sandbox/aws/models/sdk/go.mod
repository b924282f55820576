module github.com/progressive-framework/platform/sandbox/aws/models/sdk

go 1.26.4

require github.com/aws/aws-sdk-go v1.55.8

require github.com/aws/smithy-go v1.28.5 // indirect

require (
	github.com/aws/aws-sdk-go-v2/service/ec2 v1.339.0
	github.com/jmespath/go-jmespath v0.4.0 // indirect
)
