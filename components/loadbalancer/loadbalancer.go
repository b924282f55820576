// Package loadbalancer owns the internal Application Load Balancer: its
// listener, target groups and rules, its access log, the alarm for failed
// requests, and the CloudFront VPC origin through which requests reach it. It does not
// own the targets. Package routing has the rules of paths, names and priorities.
//
// The load balancer has no public address. Its security group admits only the
// network interfaces of CloudFront's VPC origins.
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
	"github.com/progressive-framework/platform/components/scaling"
)

// Args are the inputs of NewLoadBalancer.
type Args struct {
	Account *account.Account
	// Environment is part of the names; see routing.BalancerName.
	Environment string
	// VPCID is a VPC with an internet gateway. CloudFront requires the gateway, but
	// sends no traffic through it. SubnetIDs are private subnets in at least two zones.
	VPCID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput
	// NodeSecurityGroupID is the security group of the nodes that run the targets.
	// NewLoadBalancer adds a rule for each node port to the group.
	NodeSecurityGroupID pulumi.StringInput
	// Targets are the services behind the load balancer.
	Targets []routing.Target
	// OriginDomain is a name such as origin.example.com. CloudFront sends the name in the Host
	// header, and verifies that the certificate covers the name.
	OriginDomain string
	// CertificateARN is a certificate in the stack's region.
	CertificateARN pulumi.StringInput
	// ZoneID is the public zone in which the record of OriginDomain is created. If it is
	// nil, an operator must create the record, as an alias of DNSName. CloudFront finds
	// the load balancer by its ARN. But AWS does not document whether CloudFront also
	// resolves the name, so the record must exist.
	ZoneID pulumi.StringInput
	// AlarmTopicARN is the SNS topic of the alarm for failed requests. Empty means no
	// notification.
	AlarmTopicARN string
	// Unprotected permits a destroy to delete the load balancer and its logs.
	Unprotected bool
}

func (a *Args) validate() error {
	switch {
	case a == nil || a.Account == nil:
		return errors.New("Account must not be nil")
	case a.VPCID == nil || a.SubnetIDs == nil || a.NodeSecurityGroupID == nil:
		return errors.New("VPCID, SubnetIDs and NodeSecurityGroupID must be given")
	case a.OriginDomain == "" || a.CertificateARN == nil:
		return errors.New("OriginDomain and a CertificateARN that covers it must be given; CloudFront verifies the certificate of its origin")
	}
	return nil
}

// LoadBalancer is the Application Load Balancer.
type LoadBalancer struct {
	pulumi.ResourceState

	// DNSName is the name that AWS gives to the load balancer. It resolves to private
	// addresses.
	DNSName pulumi.StringOutput
	// ARNSuffix is the value of CloudWatch's dimension LoadBalancer.
	ARNSuffix pulumi.StringOutput
	// TargetGroupARNs are the ARNs of the target groups, by the name of the target.
	// TargetGroupSuffixes are the values of CloudWatch's dimension TargetGroup, by the same
	// names.
	TargetGroupARNs, TargetGroupSuffixes map[string]pulumi.StringOutput
	// SecurityGroupID is the security group of the load balancer.
	SecurityGroupID pulumi.StringOutput
	// OriginDomain is Args.OriginDomain. It is known when its record exists.
	OriginDomain pulumi.StringOutput
	// VPCOriginID is the CloudFront VPC origin. It is known when CloudFront is admitted
	// and every rule exists, so that requests succeed.
	VPCOriginID pulumi.StringOutput
	// ErrorAlarm is the name of the alarm for too many failed requests.
	ErrorAlarm pulumi.StringOutput
}

// builder creates a load balancer's children, with the same prefix and parent.
type builder struct {
	ctx    *pulumi.Context
	name   string
	parent pulumi.ResourceOrInvokeOption
	args   *Args
}

// tags returns the tags of one of the load balancer's resources.
func (b *builder) tags(nameSuffix string) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(b.name + "-" + nameSuffix)}
}

// NewLoadBalancer creates the load balancer in the private subnets, with a
// target group for each target, and the VPC origin for CloudFront.
func NewLoadBalancer(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	rules, err := routing.Rules(args.Environment, args.Targets)
	if err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	component := &LoadBalancer{TargetGroupARNs: map[string]pulumi.StringOutput{}, TargetGroupSuffixes: map[string]pulumi.StringOutput{}}
	if err := ctx.RegisterComponentResource("progressive:loadbalancer:LoadBalancer", name, component, opts...); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	b := &builder{ctx: ctx, name: name, parent: pulumi.Parent(component), args: args}

	securityGroupID, err := b.newSecurityGroup()
	if err != nil {
		return nil, err
	}
	logBucket, err := b.newLogBucket()
	if err != nil {
		return nil, err
	}
	balancer, err := lb.NewLoadBalancer(ctx, name+"-alb", &lb.LoadBalancerArgs{
		Name:             pulumi.String(routing.BalancerName(args.Environment)),
		LoadBalancerType: pulumi.String("application"),
		Internal:         pulumi.Bool(true),
		// CloudFront reaches a VPC origin over IPv4.
		IpAddressType:            pulumi.String("ipv4"),
		Subnets:                  args.SubnetIDs,
		SecurityGroups:           pulumi.StringArray{securityGroupID},
		IdleTimeout:              pulumi.Int(int(scaling.EdgeTimeouts().Balancer.Response.Seconds())),
		EnableDeletionProtection: pulumi.Bool(!args.Unprotected),
		DropInvalidHeaderFields:  pulumi.Bool(true),
		DesyncMitigationMode:     pulumi.String("strictest"),
		AccessLogs:               &lb.LoadBalancerAccessLogsArgs{Bucket: logBucket.Name, Enabled: pulumi.Bool(true)},
		Tags:                     b.tags("alb"),
	}, b.parent, pulumi.DependsOn(logBucket.Ready))
	if err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	if component.ErrorAlarm, err = b.newErrorAlarm(balancer); err != nil {
		return nil, err
	}
	if err := b.createTargetGroups(component); err != nil {
		return nil, err
	}
	ruleIDs, err := b.createListener(balancer, component, rules)
	if err != nil {
		return nil, err
	}
	origin, err := b.newVPCOrigin(balancer)
	if err != nil {
		return nil, err
	}
	ingressID, err := b.admitCloudFront(securityGroupID, origin)
	if err != nil {
		return nil, err
	}

	component.DNSName, component.ARNSuffix, component.SecurityGroupID = balancer.DnsName, balancer.ArnSuffix, securityGroupID
	component.VPCOriginID = knownAfter(origin.ID().ToStringOutput(), append(ruleIDs, ingressID))
	if component.OriginDomain, err = b.createOriginRecord(balancer); err != nil {
		return nil, err
	}
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"dnsName": component.DNSName, "originDomain": component.OriginDomain})
}

// knownAfter returns value as an output that is known when value and all ids are known.
func knownAfter(value pulumi.StringInput, ids []pulumi.IDOutput) pulumi.StringOutput {
	outputs := []any{value.ToStringOutput()} // as a plain StringInput, an id would not resolve to a string
	for _, id := range ids {
		outputs = append(outputs, id)
	}
	return pulumi.All(outputs...).ApplyT(func(values []any) string { return values[0].(string) }).(pulumi.StringOutput)
}

// newLogBucket creates the bucket of the access logs. Load balancers of this account may write
// into it (ELB User Guide, "Enable access logs").
func (b *builder) newLogBucket() (*bucket.Bucket, error) {
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

// createOriginRecord creates the record of OriginDomain if ZoneID is set. It returns
// OriginDomain, as an output that is known when the record exists.
func (b *builder) createOriginRecord(balancer *lb.LoadBalancer) (pulumi.StringOutput, error) {
	if b.args.ZoneID == nil {
		return pulumi.String(b.args.OriginDomain).ToStringOutput(), nil
	}
	record, err := route53.NewRecord(b.ctx, b.name+"-origin-A", &route53.RecordArgs{
		ZoneId: b.args.ZoneID,
		Name:   pulumi.String(b.args.OriginDomain),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
			Name: balancer.DnsName, ZoneId: balancer.ZoneId, EvaluateTargetHealth: pulumi.Bool(false),
		}},
	}, b.parent)
	if err != nil {
		return pulumi.StringOutput{}, fmt.Errorf("record of %s: %w", b.args.OriginDomain, err)
	}
	return knownAfter(pulumi.String(b.args.OriginDomain), []pulumi.IDOutput{record.ID()}), nil
}
