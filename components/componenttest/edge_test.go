package componenttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/bucket"
	"github.com/progressive-framework/platform/components/cdn"
	"github.com/progressive-framework/platform/components/certificate"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/loadbalancer"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/traffic"
	"github.com/progressive-framework/platform/components/webacl"
	"github.com/progressive-framework/platform/components/webacl/webaclspec"
)

func loadBalancerArgs(stackAccount *account.Account) *loadbalancer.Args {
	return &loadbalancer.Args{
		Account: stackAccount, Environment: "test", VPCID: pulumi.ID("vpc-1").ToIDOutput(), SubnetIDs: subnets, NodeSecurityGroupID: pulumi.String("sg-nodes"),
		Targets: traffic.Targets(), OriginDomain: "origin.example.com", CertificateARN: pulumi.String("arn:certificate"),
	}
}

func newLoadBalancer(change func(*loadbalancer.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		args := loadBalancerArgs(stackAccount)
		change(args)
		_, err := loadbalancer.NewLoadBalancer(ctx, "app", args)
		return err
	}
}

func newCDN(change func(*cdn.Args)) program {
	return func(ctx *pulumi.Context, stackAccount *account.Account) error {
		args := &cdn.Args{Account: stackAccount, OriginDomain: pulumi.String("origin.example.com"), VPCOriginID: pulumi.String("vo_1")}
		change(args)
		_, err := cdn.NewCDN(ctx, "app", args)
		return err
	}
}

func newBucket(args *bucket.Args) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := bucket.NewBucket(ctx, "app-files", args)
		return err
	}
}

func newCertificate(args *certificate.Args) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		c, err := certificate.NewCertificate(ctx, "app", args)
		if err == nil {
			ctx.Export("arn", c.ARN)
		}
		return err
	}
}

// Types of resources.
const (
	loadBalancer = "aws:lb/loadBalancer:LoadBalancer"
	listener     = "aws:lb/listener:Listener"
	listenerRule = "aws:lb/listenerRule:ListenerRule"
	ingressRule  = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	vpcOrigin    = "aws:cloudfront/vpcOrigin:VpcOrigin"
	distribution = "aws:cloudfront/distribution:Distribution"
)

// The load balancer has no public address. Its security group admits only CloudFront's VPC origins,
// on port 443. No prefix list and no secret header are needed.
func TestOnlyCloudFrontReachesTheLoadBalancer(t *testing.T) {
	d := deploy(t, newLoadBalancer(func(*loadbalancer.Args) {}))
	balancer := d.find(t, loadBalancer)
	balancer.requireInputs(t, map[string]any{
		"name": "pf-test", "internal": true, "ipAddressType": "ipv4", "enableDeletionProtection": true, "dropInvalidHeaderFields": true,
		"desyncMitigationMode": "strictest", "accessLogs.enabled": true, "securityGroups": []any{"app-alb-id"},
		"idleTimeout": scaling.EdgeTimeouts().Balancer.Response.Seconds(),
	})
	origin := d.find(t, vpcOrigin)
	origin.requireInputs(t, map[string]any{
		"vpcOriginEndpointConfig.arn": mockARN + "app-alb", "vpcOriginEndpointConfig.originProtocolPolicy": "https-only",
		"vpcOriginEndpointConfig.httpsPort": 443, "vpcOriginEndpointConfig.name": "pf-test-app-alb",
	})
	origin.requireDependsOn(t, balancer)
	var balancerRules []registration
	for _, rule := range d.ofType(ingressRule) {
		rule.requireInputs(t, map[string]any{"cidrIpv4": nil, "cidrIpv6": nil, "prefixListId": nil})
		if rule.input("securityGroupId") == "app-alb-id" {
			balancerRules = append(balancerRules, rule)
		} else {
			rule.requireInputs(t, map[string]any{"securityGroupId": "sg-nodes", "referencedSecurityGroupId": "app-alb-id"})
		}
	}
	require.Len(t, balancerRules, 1)
	balancerRules[0].requireInputs(t, map[string]any{"referencedSecurityGroupId": "sg-vpc-origins", "fromPort": 443, "toPort": 443})
	balancerRules[0].requireDependsOn(t, origin) // CloudFront creates the group with the VPC origin
	d.find(t, listener).requireInputs(t, map[string]any{
		"port": 443, "protocol": "HTTPS", "certificateArn": "arn:certificate",
		"defaultActions[0].type": "fixed-response", "defaultActions[0].fixedResponse.statusCode": "404",
	})
	require.Len(t, d.ofType(listenerRule), 3)
	for _, rule := range d.ofType(listenerRule) {
		require.Len(t, rule.input("conditions"), 1, "a rule has only a condition for the path, and none for a secret header")
	}
	require.Less(t, d.find(t, listenerRule, "app-agents/api/v1/agents/").input("priority"), d.find(t, listenerRule, "app-web/api/").input("priority"))
}

// The distribution depends on everything between it and the load balancer. So it is created
// last, and a destroy deletes it first.
func TestDistributionDependsOnThePathToTheLoadBalancer(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		balancer, err := loadbalancer.NewLoadBalancer(ctx, "app", loadBalancerArgs(stackAccount))
		if err != nil {
			return err
		}
		_, err = cdn.NewCDN(ctx, "app", &cdn.Args{Account: stackAccount, VPCOriginID: balancer.VPCOriginID, OriginDomain: balancer.OriginDomain})
		return err
	})
	cloudFront := d.find(t, distribution)
	cloudFront.requireDependsOn(t, d.find(t, vpcOrigin), d.find(t, ingressRule, "app-from-cloudfront"))
	cloudFront.requireDependsOn(t, d.ofType(listenerRule)...)
}

func TestAlarmFiresForFailedRequests(t *testing.T) {
	d := deploy(t, newLoadBalancer(func(a *loadbalancer.Args) { a.AlarmTopicARN = "arn:topic" }))
	alarm := d.find(t, metricAlarm)
	alarm.requireInputs(t, map[string]any{"threshold": 1, "alarmActions": []any{"arn:topic"}, "okActions": []any{"arn:topic"}, "evaluationPeriods": 3})
	metricNames := map[any]bool{}
	for _, q := range alarm.input("metricQueries").([]any) {
		if metric, ok := q.(map[string]any)["metric"].(map[string]any); ok {
			metricNames[metric["metricName"]] = true
			require.Equal(t, map[string]any{"LoadBalancer": "app/app-alb"}, metric["dimensions"])
		}
	}
	require.Equal(t, map[any]bool{"HTTPCode_Target_5XX_Count": true, "HTTPCode_ELB_5XX_Count": true, "RequestCount": true}, metricNames)
	require.Nil(t, deploy(t, newLoadBalancer(func(*loadbalancer.Args) {})).find(t, metricAlarm).input("alarmActions"))
}

func TestOriginRecordsNeedAZone(t *testing.T) {
	dnsRecord := "aws:route53/record:Record"
	require.Empty(t, deploy(t, newLoadBalancer(func(*loadbalancer.Args) {})).ofType(dnsRecord))
	d := deploy(t, newLoadBalancer(func(a *loadbalancer.Args) { a.ZoneID = pulumi.String("Z0") }))
	require.Equal(t, []string{"app-origin-A"}, d.names(dnsRecord), "an internal load balancer has IPv4 only")
}

func TestBucketsArePrivateEncryptedAndVersioned(t *testing.T) {
	for _, tc := range []struct {
		reason  string
		program program
	}{
		{"a bucket", newBucket(&bucket.Args{})},
		{"the buckets of the CDN", newCDN(func(*cdn.Args) {})},
		{"the bucket of the load balancer's log", newLoadBalancer(func(*loadbalancer.Args) {})},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d := deploy(t, tc.program)
			buckets := d.ofType("aws:s3/bucketV2:BucketV2")
			require.NotEmpty(t, buckets)
			for _, b := range buckets {
				name := strings.TrimSuffix(b.Name, "-bucket")
				b.requireInputs(t, map[string]any{"forceDestroy": false})
				d.find(t, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", name+"-private").requireInputs(t, map[string]any{
					"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true,
				})
				d.find(t, "aws:s3/bucketVersioningV2:BucketVersioningV2", name+"-versioning").requireInputs(t, map[string]any{"versioningConfiguration.status": "Enabled"})
				d.find(t, "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", name+"-encryption")
				policy := d.find(t, "aws:s3/bucketPolicy:BucketPolicy", name+"-policy").input("policy")
				require.Contains(t, policy, `"aws:SecureTransport":["false"]`)
			}
		})
	}
}

func TestBucketHasItsKeyAndExpiry(t *testing.T) {
	d := deploy(t, newBucket(&bucket.Args{KeyARN: pulumi.String("arn:key"), ExpireDays: 90}))
	const defaultEncryption = "rules[0].applyServerSideEncryptionByDefault."
	d.find(t, "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2").requireInputs(t, map[string]any{
		defaultEncryption + "sseAlgorithm": "aws:kms", defaultEncryption + "kmsMasterKeyId": "arn:key",
	})
	d.find(t, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2").requireInputs(t, map[string]any{"rules[1].expiration.days": 90})
}

func TestDistributionReachesThePrivateOriginOverTLS(t *testing.T) {
	d := deploy(t, newCDN(func(a *cdn.Args) {
		a.Domains, a.CertificateARN, a.ZoneID = []string{"example.com"}, pulumi.String("arn:certificate"), pulumi.String("Z0")
		a.WebACLARN = pulumi.String("arn:acl")
	}))
	cloudFront := d.find(t, distribution)
	cloudFront.requireInputs(t, map[string]any{
		"aliases": []any{"example.com"}, "viewerCertificate.minimumProtocolVersion": "TLSv1.2_2021", "webAclId": "arn:acl",
		"origins[1].vpcOriginConfig.vpcOriginId": "vo_1", "origins[1].domainName": "origin.example.com", "origins[1].customOriginConfig": nil,
		"origins[1].vpcOriginConfig.originReadTimeout":      scaling.EdgeTimeouts().CDN.Response.Seconds(),
		"origins[1].vpcOriginConfig.originKeepaliveTimeout": scaling.EdgeTimeouts().CDN.KeepAlive.Seconds(),
		"origins[1].customHeaders":                          nil, "defaultRootObject": "index.html",
	})
	for _, b := range cloudFront.input("orderedCacheBehaviors").([]any) {
		require.NotEqual(t, "allow-all", b.(map[string]any)["viewerProtocolPolicy"])
	}
	require.Contains(t, d.find(t, "aws:s3/bucketPolicy:BucketPolicy", "app-static-policy").input("policy"), mockARN+"app-distribution", "only the distribution may read the files")
	require.Equal(t, []string{"app-example.com-A", "app-example.com-AAAA"}, d.names("aws:route53/record:Record"))
}

// HSTS with subdomains makes browsers use only HTTPS for every name below the domain, for a
// year. So it is not the default.
func TestHSTSExcludesSubdomainsByDefault(t *testing.T) {
	const policy, hsts = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "securityHeadersConfig.strictTransportSecurity."
	d := deploy(t, newCDN(func(*cdn.Args) {}))
	d.find(t, policy).requireInputs(t, map[string]any{hsts + "includeSubdomains": false, hsts + "accessControlMaxAgeSec": 31536000})
	d = deploy(t, newCDN(func(a *cdn.Args) { a.HSTSSubdomains = true }))
	d.find(t, policy).requireInputs(t, map[string]any{hsts + "includeSubdomains": true})
}

func TestSiteIsUploadedWithContentTypes(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.html"), []byte("<p>"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "app.js"), []byte("1"), 0o600))
	bucketObject := "aws:s3/bucketObjectv2:BucketObjectv2"
	d := deploy(t, newCDN(func(a *cdn.Args) { a.SiteFolder = folder }))
	require.Equal(t, []string{"app-app.js", "app-index.html"}, d.names(bucketObject))
	d.find(t, bucketObject, "app-index.html").requireInputs(t, map[string]any{"contentType": "text/html; charset=utf-8", "bucket": "app-static-bucket", "acl": nil})
}

func TestCertificateIsIssuedBeforeItIsUsed(t *testing.T) {
	d := deploy(t, newCertificate(&certificate.Args{Names: []string{"example.com", "*.example.com"}, ZoneID: pulumi.String("Z0")}))
	d.find(t, "aws:acm/certificate:Certificate").requireInputs(t, map[string]any{"validationMethod": "DNS", "subjectAlternativeNames": []any{"*.example.com"}})
	record := d.find(t, "aws:route53/record:Record")
	record.requireInputs(t, map[string]any{"name": "_proof.example.com", "type": "CNAME", "records": []any{"_acm"}})
	d.find(t, "aws:acm/certificateValidation:CertificateValidation").requireDependsOn(t, record)
	existing := deploy(t, newCertificate(&certificate.Args{ARN: pulumi.String("arn:existing")}))
	require.Empty(t, existing.ofType("aws:acm/certificate:Certificate"))
}

func TestKeyPolicyAllowsOnlyTheAccount(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := key.NewKey(ctx, "app", &key.Args{Account: stackAccount, Description: "data"})
		return err
	})
	policy := d.find(t, "aws:kms/key:Key").input("policy")
	require.Contains(t, policy, "arn:aws:iam::123456789012:root")
	require.NotContains(t, policy, "amazonaws.com", "a key without Services allows no AWS service")
	d.find(t, "aws:kms/alias:Alias").requireInputs(t, map[string]any{"name": "alias/app", "targetKeyId": "app-key-id"})
}

// Only the signers may sign with the key, and only with the message type and algorithm that
// release/signer requests.
func TestOnlySignersMaySignWithTheSigningKey(t *testing.T) {
	const signer = "arn:aws:iam::123456789012:role/deployer"
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		_, err := key.NewSigningKey(ctx, "app-signing", &key.SigningArgs{Account: stackAccount, Description: "statements", Signers: []string{signer}})
		return err
	})
	signingKey := d.find(t, "aws:kms/key:Key")
	signingKey.requireInputs(t, map[string]any{"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "ECC_NIST_P256", "deletionWindowInDays": 30})
	var policy struct {
		Statement []struct {
			Sid       string
			Action    []string
			Principal struct{ AWS any }
			Condition map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(signingKey.input("policy").(string)), &policy))
	signStatements := 0
	for _, s := range policy.Statement {
		for _, action := range s.Action {
			if action != "kms:Sign" {
				require.NotContains(t, []string{"kms:*", "kms:S*", "*"}, action, s.Sid)
				continue
			}
			signStatements++
			require.Contains(t, fmt.Sprint(s.Principal.AWS), signer)
			require.NotContains(t, fmt.Sprint(s.Principal.AWS), ":root")
			require.Equal(t, []string{"kms:MessageType", "kms:SigningAlgorithm"}, slices.Sorted(maps.Keys(s.Condition["StringEquals"])))
		}
	}
	require.Equal(t, 1, signStatements)
	d.find(t, "aws:kms/alias:Alias").requireInputs(t, map[string]any{"name": "alias/app-signing", "targetKeyId": "app-signing-key-id"})
}

func TestSecretValueIsGeneratedAndEncryptedInTheState(t *testing.T) {
	deploySecret := func(args *secret.Args) deployment {
		return deploy(t, func(ctx *pulumi.Context, _ *account.Account) error {
			_, err := secret.NewSecret(ctx, "app", args)
			return err
		})
	}
	d := deploySecret(&secret.Args{KeyARN: pulumi.String("arn:key"), Description: "test secret"})
	d.find(t, "aws:secretsmanager/secret:Secret").requireInputs(t, map[string]any{"kmsKeyId": "arn:key", "recoveryWindowInDays": 30})
	version := d.find(t, "aws:secretsmanager/secretVersion:SecretVersion")
	require.True(t, version.Inputs["secretString"].ContainsSecrets())
	require.Equal(t, []string{"secretString"}, version.IgnoreChanges, "each run generates a new value")
	deploySecret(&secret.Args{KeyARN: pulumi.String("arn:key"), Description: "test secret", Unprotected: true}).
		find(t, "aws:secretsmanager/secret:Secret").requireInputs(t, map[string]any{"recoveryWindowInDays": 0})
}

func newWebACL(args *webacl.Args) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := webacl.NewWebACL(ctx, "app", args)
		return err
	}
}

func TestWebACLLimitsEachAddress(t *testing.T) {
	deploy(t, newWebACL(&webacl.Args{})).find(t, "aws:wafv2/webAcl:WebAcl").requireInputs(t, map[string]any{
		"scope": "CLOUDFRONT", "rules[0].statement.rateBasedStatement.limit": 6000, "rules[0].statement.rateBasedStatement.aggregateKeyType": "IP",
		"rules[0].action": map[string]any{"block": map[string]any{}},
		"rules[3].statement.managedRuleGroupStatement.name": "AWSManagedRulesCommonRuleSet",
	})
}

// Managed rules only count matching requests, unless the mode is Block. An overrideAction of
// "none" keeps the rules' own action, which blocks.
func TestManagedRulesBlockOnlyInModeBlock(t *testing.T) {
	for mode, action := range map[webaclspec.Mode]string{"": "count", webaclspec.Count: "count", webaclspec.Block: "none"} {
		rules := deploy(t, newWebACL(&webacl.Args{Mode: mode})).find(t, "aws:wafv2/webAcl:WebAcl").input("rules").([]any)
		require.Len(t, rules, 4)
		for _, rule := range rules[1:] {
			require.Equal(t, map[string]any{action: map[string]any{}}, rule.(map[string]any)["overrideAction"], "mode %q", mode)
		}
	}
}

func TestWebACLLogsMatchesWithoutTokens(t *testing.T) {
	d := deploy(t, newWebACL(&webacl.Args{LogKeyARN: pulumi.String("arn:key")}))
	group := d.find(t, "aws:cloudwatch/logGroup:LogGroup")
	group.requireInputs(t, map[string]any{"name": "aws-waf-logs-app", "retentionInDays": 90, "kmsKeyId": "arn:key"})
	log := d.find(t, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")
	log.requireDependsOn(t, group, d.find(t, "aws:wafv2/webAcl:WebAcl"))
	log.requireInputs(t, map[string]any{
		"resourceArn": mockARN + "app-acl", "logDestinationConfigs": []any{mockARN + "app-waf"},
		"loggingFilter.defaultBehavior": "DROP", "loggingFilter.filters[0].behavior": "KEEP", "loggingFilter.filters[0].requirement": "MEETS_ANY",
	})
	require.Contains(t, log.input("loggingFilter.filters[0].conditions"), map[string]any{"actionCondition": map[string]any{"action": "COUNT"}})
	require.ElementsMatch(t, []any{
		map[string]any{"queryString": map[string]any{}},
		map[string]any{"singleHeader": map[string]any{"name": "authorization"}},
		map[string]any{"singleHeader": map[string]any{"name": "cookie"}},
		map[string]any{"singleHeader": map[string]any{"name": "sec-websocket-protocol"}},
	}, log.input("redactedFields"))
}
