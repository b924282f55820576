package ruleset_test

import (
	"slices"

	"github.com/progressive-framework/platform/policy/awsview"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
)

// lacks reports whether the environment has no resource with a short name.
func (env *environment) lacks(name string) bool {
	return !slices.ContainsFunc(env.resources, func(r *graph.Resource) bool { return shortName(r) == name })
}

// edgeEdits returns the edits that add missing resources to a recorded environment: the VPC
// origin, the log of the web ACL, and PodDisruptionBudgets.
func edgeEdits(env *environment) []edit {
	var edits []edit
	if env.lacks("VpcOrigin vpc-origin") {
		edits = append(edits,
			add(awsview.CloudfrontVpcOrigin{}.Token(), "vpc-origin", map[string]any{"vpcOriginEndpointConfig": map[string]any{
				"originProtocolPolicy": "https-only", "originSslProtocols": map[string]any{"items": []any{"TLSv1.2"}},
			}}, nil),
			set(cdnDistribution, "origins", []any{
				map[string]any{"originId": "S3-progressive-framework-static", "domainName": "b.s3.amazonaws.com", "originAccessControlId": "E1"},
				map[string]any{"originId": "ALB-progressive-framework-dynamic", "domainName": "internal", "vpcOriginConfig": map[string]any{
					"vpcOriginId": "vo_1", "originReadTimeout": 70.0, "originKeepaliveTimeout": 60.0,
				}},
			}),
			set(loadBalancer, "internal", true),
			set(loadBalancer, "idleTimeout", 65.0),
			remove("SecurityGroupIngressRule from-cloudfront-https", "SecurityGroupIngressRule from-cloudfront-http", "Listener http"),
			add(awsview.VpcSecurityGroupIngressRule{}.Token(), "from-cloudfront",
				map[string]any{"description": "CloudFront", "referencedSecurityGroupId": "sg-cloudfront", "securityGroupId": "sg-alb"},
				map[string]string{"securityGroupId": "SecurityGroup alb-https", "referencedSecurityGroupId": "VpcOrigin vpc-origin"}),
		)
	}
	if env.lacks("WebAclLoggingConfiguration acl-log") {
		edits = append(edits, add(awsview.Wafv2WebAclLoggingConfiguration{}.Token(), "acl-log", map[string]any{"redactedFields": []any{
			map[string]any{"singleHeader": map[string]any{"name": "authorization"}}, map[string]any{"singleHeader": map[string]any{"name": "cookie"}},
		}}, map[string]string{"resourceArn": "WebAcl acl"}))
	}
	for name, app := range map[string]string{"web": "progressive-framework-v5", "mca": "mca", "npa": "npa", "wpa": "wpa"} {
		if env.lacks("PodDisruptionBudget " + name + "-pdb") {
			edits = append(edits, add(k8sview.PodDisruptionBudget{}.Token(), name+"-pdb", map[string]any{
				"metadata": map[string]any{"name": name, "namespace": "progressive-framework-prod"},
				"spec":     map[string]any{"maxUnavailable": 1.0, "selector": map[string]any{"matchLabels": map[string]any{"app": app}}},
			}, nil))
		}
	}
	return edits
}
