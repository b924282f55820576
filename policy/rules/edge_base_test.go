package rules_test

import (
	"slices"

	"github.com/progressive-framework/platform/policy/aws"
	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8s"
)

// missing tells whether the recording lacks a resource.
func (w *world) missing(name string) bool {
	return !slices.ContainsFunc(w.resources, func(r *graph.Resource) bool { return short(r) == name })
}

// edgeEdits are the edge and the budgets as the program has them, for a
// recording that is older. They do nothing to a newer one.
func edgeEdits(w *world) []edit {
	var edits []edit
	if w.missing("VpcOrigin vpc-origin") {
		edits = append(edits,
			add(aws.CloudfrontVpcOrigin{}.Token(), "vpc-origin", map[string]any{"vpcOriginEndpointConfig": map[string]any{
				"originProtocolPolicy": "https-only", "originSslProtocols": map[string]any{"items": []any{"TLSv1.2"}},
			}}, nil),
			set(cdnOf, "origins", []any{
				map[string]any{"originId": "S3-progressive-framework-static", "domainName": "b.s3.amazonaws.com", "originAccessControlId": "E1"},
				map[string]any{"originId": "ALB-progressive-framework-dynamic", "domainName": "internal", "vpcOriginConfig": map[string]any{
					"vpcOriginId": "vo_1", "originReadTimeout": 70.0, "originKeepaliveTimeout": 60.0,
				}},
			}),
			set(albOf, "internal", true),
			set(albOf, "idleTimeout", 65.0),
			remove("SecurityGroupIngressRule from-cloudfront-https", "SecurityGroupIngressRule from-cloudfront-http", "Listener http"),
			add(aws.VpcSecurityGroupIngressRule{}.Token(), "from-cloudfront",
				map[string]any{"description": "CloudFront", "referencedSecurityGroupId": "sg-cloudfront", "securityGroupId": "sg-alb"},
				map[string]string{"securityGroupId": "SecurityGroup alb-https", "referencedSecurityGroupId": "VpcOrigin vpc-origin"}),
		)
	}
	if w.missing("WebAclLoggingConfiguration acl-log") {
		edits = append(edits, add(aws.Wafv2WebAclLoggingConfiguration{}.Token(), "acl-log", map[string]any{"redactedFields": []any{
			map[string]any{"singleHeader": map[string]any{"name": "authorization"}}, map[string]any{"singleHeader": map[string]any{"name": "cookie"}},
		}}, map[string]string{"resourceArn": "WebAcl acl"}))
	}
	for name, app := range map[string]string{"web": "progressive-framework-v5", "mca": "mca", "npa": "npa", "wpa": "wpa"} {
		if w.missing("PodDisruptionBudget " + name + "-pdb") {
			edits = append(edits, add(k8s.PodDisruptionBudget{}.Token(), name+"-pdb", map[string]any{
				"metadata": map[string]any{"name": name, "namespace": "progressive-framework-prod"},
				"spec":     map[string]any{"maxUnavailable": 1.0, "selector": map[string]any{"matchLabels": map[string]any{"app": app}}},
			}, nil))
		}
	}
	return edits
}
