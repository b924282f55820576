package main

import (
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// outputs are the stack's outputs; the tags are their names. The doc comments are
// the text of docs/configuration.md. No output is secret: it has the ARN of a secret.
type outputs struct {
	// The URL of the platform: `https://DOMAIN`, `http://127.0.0.1:NODEPORT` if a node port
	// is open, or the front service's name in the cluster.
	URL pulumi.Input `output:"url"`
	// Each image that the stack builds or promotes, as REPOSITORY@DIGEST. Pods run it and
	// a promotion passes it on.
	Images pulumi.Input `output:"images"`
	// The namespace of the services.
	Namespace pulumi.Input `output:"namespace"`
	// The EKS cluster.
	ClusterName pulumi.Input `output:"clusterName"`
	// The kubeconfig of the EKS cluster. It calls `aws eks get-token` and holds
	// no secret.
	Kubeconfig pulumi.Input `output:"kubeconfig"`
	// The VPC.
	VPCID pulumi.Input `output:"vpcId"`
	// The KMS key of logs, volumes and the cluster's secrets.
	KeyARN pulumi.Input `output:"keyArn"`
	// The Auto Scaling Group of each tier, by name.
	AutoScalingGroups pulumi.StringMap `output:"autoScalingGroups"`
	// The CloudFront distribution.
	DistributionID pulumi.Input `output:"distributionId"`
	// The distribution's own domain name.
	DistributionDomain pulumi.Input `output:"distributionDomain"`
	// The bucket of the static files.
	StaticBucket pulumi.Input `output:"staticBucket"`
	// The load balancer's own domain name.
	LoadBalancerDomain pulumi.Input `output:"loadBalancerDomain"`
	// PostgreSQL's `host`, `port` and password: `secretArn` in Secrets Manager,
	// or `secretName` in the namespace.
	Postgres pulumi.Map `output:"postgres"`
	// The same of Redis.
	Redis pulumi.Map `output:"redis"`
	// The same of the document store.
	Mongo pulumi.Map `output:"mongo"`
}

// export exports the outputs that the stack has. The zero value of a field means that the stack
// does not have the output.
func (o outputs) export(ctx *pulumi.Context) {
	values := reflect.ValueOf(o)
	for i := range values.NumField() {
		if field := values.Field(i); !field.IsZero() {
			ctx.Export(values.Type().Field(i).Tag.Get("output"), field.Interface().(pulumi.Input))
		}
	}
}
