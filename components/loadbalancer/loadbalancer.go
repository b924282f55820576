// Package loadbalancer owns the Application Load Balancer, the platform's one
// door into the VPC: its listeners, target groups and rules, who may knock, its
// access log, and the alarm of failed requests. Which request goes where is
// said by package routing; what runs on the targets is not its business.
//
// Only CloudFront gets through: its addresses alone reach the door, and a
// request without the origin secret is answered 403.
package loadbalancer

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/bucket"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/loadbalancer/routing"
	"github.com/progressive-framework/platform/components/logs"
	"github.com/progressive-framework/platform/components/secret"
)

// Args are what a LoadBalancer is made from.
type Args struct {
	Account *account.Account
	// Environment is part of the names; see routing.BalancerName.
	Environment string
	// VPCID and SubnetIDs are where it stands: public subnets in at least two
	// zones, with IPv6.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// NodeSecurityGroupID is the group of the nodes that run the targets; the
	// load balancer lets itself in there, on their node ports.
	NodeSecurityGroupID pulumi.StringInput
	// Targets are the services behind it.
	Targets []routing.Target
	// OriginSecret is what a request must carry in routing.OriginHeader.
	OriginSecret *secret.Secret
	// OriginDomain is the name by which CloudFront knows the load balancer,
	// such as origin.example.com; the certificate must cover it.
	OriginDomain string
	// CertificateARN is a certificate in the stack's region.
	CertificateARN pulumi.StringInput
	// ZoneID is the public zone in which OriginDomain gets its records; none:
	// somebody else points the name at DNSName.
	ZoneID pulumi.StringInput
	// AlarmTopicARN is the SNS topic that hears of the alarm of failed requests;
	// empty: the alarm is to be seen in CloudWatch only.
	AlarmTopicARN string
	// Unprotected lets a destroy take the load balancer and its logs.
	Unprotected bool
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil:
		return errors.New("Account must not be nil")
	case a.VPCID == nil || a.SubnetIDs == nil || a.NodeSecurityGroupID == nil:
		return errors.New("VPCID, SubnetIDs and NodeSecurityGroupID must be given")
	case a.OriginSecret == nil:
		return errors.New("OriginSecret must be given; without it anybody's CloudFront distribution gets in")
	case a.OriginDomain == "" || a.CertificateARN == nil:
		return errors.New("OriginDomain and a CertificateARN that covers it must be given; CloudFront speaks HTTPS to an origin that it can verify")
	}
	return nil
}

// LoadBalancer is the Application Load Balancer.
type LoadBalancer struct {
	pulumi.ResourceState

	// DNSName and ZoneID are what an alias record points at.
	DNSName, ZoneID pulumi.StringOutput
	// ARNSuffix is the LoadBalancer dimension of CloudWatch's metrics.
	ARNSuffix pulumi.StringOutput
	// TargetGroupARNs and TargetGroupSuffixes are by target: what Auto Scaling
	// attaches, and the TargetGroup dimension of CloudWatch's metrics.
	TargetGroupARNs, TargetGroupSuffixes map[string]pulumi.StringOutput
	// SecurityGroupID is the group by which it reaches the nodes.
	SecurityGroupID pulumi.StringOutput
	// OriginDomain is the name by which CloudFront reaches it, known once it
	// resolves.
	OriginDomain pulumi.StringOutput
	// OriginSecret is what CloudFront is to send, known once every rule lets
	// it in, so that a rotation refuses no request. It is secret.
	OriginSecret pulumi.StringOutput
}

// builder makes a load balancer's children, all named and parented alike.
type builder struct {
	ctx    *pulumi.Context
	name   string
	parent pulumi.ResourceOrInvokeOption
	args   *Args
}

func (b *builder) tags(part string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.name + "-" + part)}
}

// NewLoadBalancer makes the load balancer over the public subnets, with a
// target group for each target.
func NewLoadBalancer(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	rules, err := routing.Rules(args.Environment, args.Targets)
	if err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	l := &LoadBalancer{TargetGroupARNs: map[string]pulumi.StringOutput{}, TargetGroupSuffixes: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource("progressive:loadbalancer:LoadBalancer", name, l, opts...); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, parent: pulumi.Parent(l), args: args}

	groups, err := b.securityGroups()
	if err != nil {
		return nil, err
	}
	logs, err := b.logs()
	if err != nil {
		return nil, err
	}
	balancer, err := lb.NewLoadBalancer(ctx, name+"-alb", &lb.LoadBalancerArgs{
		Name:                     pulumi.String(routing.BalancerName(args.Environment)),
		LoadBalancerType:         pulumi.String("application"),
		IpAddressType:            pulumi.String("dualstack"),
		Subnets:                  args.SubnetIDs,
		SecurityGroups:           pulumi.StringArray{groups.https, groups.http},
		EnableDeletionProtection: pulumi.Bool(!args.Unprotected),
		DropInvalidHeaderFields:  pulumi.Bool(true),
		DesyncMitigationMode:     pulumi.String("strictest"),
		AccessLogs:               &lb.LoadBalancerAccessLogsArgs{Bucket: logs.Name, Enabled: pulumi.Bool(true)},
		Tags:                     b.tags("alb"),
	}, b.parent, pulumi.DependsOn(logs.Settled))
	if err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	if err := b.alarm(balancer); err != nil {
		return nil, err
	}
	if err := b.targetGroups(l); err != nil {
		return nil, err
	}
	admitted, err := b.listeners(balancer, l, rules)
	if err != nil {
		return nil, err
	}

	l.DNSName, l.ZoneID, l.ARNSuffix = balancer.DnsName, balancer.ZoneId, balancer.ArnSuffix
	l.SecurityGroupID = groups.https
	l.OriginSecret = after(args.OriginSecret.Value, admitted)
	if l.OriginDomain, err = b.originRecords(balancer); err != nil {
		return nil, err
	}
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{"dnsName": l.DNSName, "originDomain": l.OriginDomain})
}

// after is value, known once all of the ids are.
func after(value pulumi.StringInput, ids []pulumi.IDOutput) pulumi.StringOutput {
	all := []any{value}
	for _, id := range ids {
		all = append(all, id)
	}
	return pulumi.All(all...).ApplyT(func(known []any) string { return known[0].(string) }).(pulumi.StringOutput)
}

// logs makes the bucket of the access logs, which load balancers of this
// account may write to (ELB User Guide, "Enable access logs").
func (b *builder) logs() (*bucket.Bucket, error) {
	a := b.args.Account
	return bucket.NewBucket(b.ctx, b.name+"-alb-logs", &bucket.Args{
		ExpireDays:  logs.Days,
		Unprotected: b.args.Unprotected,
		Statements: func(arn pulumi.StringOutput) []iam.Statement {
			return []iam.Statement{{
				Sid:        "AccessLogs",
				Principals: []iam.Principal{iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")},
				Actions:    []string{"s3:PutObject"},
				Resources:  iam.ARNs(pulumi.Sprintf("%s/AWSLogs/%s/*", arn, a.ID)),
				Conditions: []iam.Condition{{
					Operator: "ArnLike", Key: "aws:SourceArn",
					Values: iam.ARNs(a.ARN("elasticloadbalancing", pulumi.String("loadbalancer/*"))),
				}},
			}}
		},
	}, b.parent)
}

// originRecords point OriginDomain at the load balancer, where a zone is given.
func (b *builder) originRecords(balancer *lb.LoadBalancer) (pulumi.StringOutput, error) {
	var ids []pulumi.IDOutput
	for _, kind := range []string{"A", "AAAA"} {
		if b.args.ZoneID == nil {
			break
		}
		record, err := route53.NewRecord(b.ctx, b.name+"-origin-"+kind, &route53.RecordArgs{
			ZoneId: b.args.ZoneID,
			Name:   pulumi.String(b.args.OriginDomain),
			Type:   pulumi.String(kind),
			Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
				Name: balancer.DnsName, ZoneId: balancer.ZoneId, EvaluateTargetHealth: pulumi.Bool(false),
			}},
		}, b.parent)
		if err != nil {
			return pulumi.StringOutput{}, fmt.Errorf("record %s of %s: %w", kind, b.args.OriginDomain, err)
		}
		ids = append(ids, record.ID())
	}
	return after(pulumi.String(b.args.OriginDomain), ids), nil
}
