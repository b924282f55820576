package network

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/network/access"
	"github.com/progressive-framework/platform/components/network/subnet"
)

// interfaceServices are the AWS services that nodes and pods call. Elastic Load
// Balancing is not among them, because Auto Scaling registers the targets.
var interfaceServices = []string{
	"autoscaling",    // Cluster Autoscaler
	"ec2",            // the CNI and volume drivers
	"ecr.api",        // nodes log in to the registry
	"ecr.dkr",        // nodes pull images; the layers come from S3
	"eks-auth",       // the Pod Identity agent gets the credentials of pods
	"logs",           // container logs
	"secretsmanager", // services read their secrets
	"sts",            // nodes and pods get their identity
}

// createEndpoints creates the VPC endpoints of AWS's services: a gateway endpoint for S3,
// which is free, and interface endpoints in the private-app subnets for the others. appSubnetIDs
// are the ids of the private-app subnets.
func (b *builder) createEndpoints(appSubnetIDs pulumi.StringArray) error {
	if err := b.createStorageEndpoint(); err != nil {
		return err
	}
	endpointSubnetIDs := appSubnetIDs
	switch b.args.Endpoints {
	case subnet.EndpointsNone:
		return nil
	case subnet.EndpointsSingle:
		zone := cmp.Or(b.args.EndpointZone, slices.Min(b.args.Zones))
		endpointSubnetIDs = pulumi.StringArray{b.subnetsByKey[subnetKey{subnet.PrivateApp, zoneLetter(zone)}].ID()}
	}
	group, err := ec2.NewSecurityGroup(b.ctx, b.name+"-endpoints", &ec2.SecurityGroupArgs{
		VpcId:       b.vpc.ID(),
		Description: pulumi.String("Interface endpoints of AWS services"),
		Tags:        b.tags("endpoints"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("security group of the endpoints: %w", err)
	}
	b.endpointGroup = group
	operatorRules, err := b.admitOperators()
	if err != nil {
		return err
	}
	for _, service := range interfaceServices {
		suffix := "endpoint-" + service
		policy, err := b.servicePolicy(service)
		if err != nil {
			return fmt.Errorf("policy of the endpoint of %s: %w", service, err)
		}
		endpoint, err := ec2.NewVpcEndpoint(b.ctx, b.name+"-"+suffix, &ec2.VpcEndpointArgs{
			VpcId:             b.vpc.ID(),
			VpcEndpointType:   pulumi.String("Interface"),
			ServiceName:       b.serviceName(service),
			SubnetIds:         endpointSubnetIDs,
			SecurityGroupIds:  pulumi.StringArray{group.ID()},
			PrivateDnsEnabled: pulumi.Bool(true),
			Policy:            policy,
			Tags:              b.tags(suffix),
		}, b.parent, pulumi.DependsOn(operatorRules))
		if err != nil {
			return fmt.Errorf("endpoint of %s: %w", service, err)
		}
		b.ready = append(b.ready, endpoint)
	}
	return nil
}

// servicePolicy returns the policy of an interface endpoint. It admits principals of this account
// only, so that nobody sends data out with an access key of another account. servicePolicy returns
// nil for eks-auth: AWS's documents do not say that eks-auth has endpoint policies, and EC2 refuses
// a policy for a service without them.
//
// Only the policy for ecr has a condition on aws:ResourceAccount. A request for an action
// without a resource, such as secretsmanager:GetRandomPassword, does not have that key. So for
// the other services, only the policies of the roles limit the resources.
func (b *builder) servicePolicy(service string) (pulumi.StringPtrInput, error) {
	prefix, _, _ := strings.Cut(service, ".") // ecr.api and ecr.dkr have the actions of ecr
	account := b.args.Account
	principalInAccount := iam.Equals("aws:PrincipalAccount", account.ID)
	everyone := []iam.Principal{iam.Everyone()}
	ownAccount := iam.Statement{
		Sid: "Own", Principals: everyone, Actions: []string{prefix + ":*"}, Resources: iam.AnyResource(), Conditions: []iam.Condition{principalInAccount},
	}
	switch prefix {
	case "eks-auth":
		return nil, nil
	case "ecr":
		ownAccount.Conditions = append(ownAccount.Conditions, iam.Equals("aws:ResourceAccount", account.ID))
		// The images of EKS's add-ons are in registries of AWS's accounts.
		return iam.EndpointPolicy(ownAccount, iam.Statement{
			Sid: "Pull", Principals: everyone, Resources: iam.AnyResource(), Conditions: []iam.Condition{principalInAccount},
			Actions: []string{"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"},
		})
	case "sts":
		// A CI runner that assumes its role with a web identity token is a principal of no
		// account yet.
		return iam.EndpointPolicy(ownAccount, iam.Statement{
			Sid: "Federated", Principals: everyone, Actions: []string{"sts:AssumeRoleWithWebIdentity"},
			Resources: iam.ARNs(pulumi.Sprintf("arn:%s:iam::%s:role/*", account.Partition, account.ID)),
		})
	}
	return iam.EndpointPolicy(ownAccount)
}

// admitOperators admits the operators of the stack to the endpoints. The rules must exist
// before the endpoints. With private DNS, the name of a service resolves to its endpoint
// in the whole VPC as soon as the endpoint exists. Without a rule, a runner in the VPC
// could then not reach EC2 and STS in the middle of `pulumi up`.
func (b *builder) admitOperators() ([]pulumi.Resource, error) {
	var rules []pulumi.Resource
	for _, source := range b.args.Operators {
		rule, err := access.NewRule(b.ctx, b.name+"-endpoints", b.endpointGroup.ID(), source, b.parent)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// serviceName returns AWS's full name of a service in the stack's region.
func (b *builder) serviceName(service string) pulumi.String {
	return pulumi.String("com.amazonaws." + b.args.Account.Region + "." + service)
}

// createStorageEndpoint creates the gateway endpoint of S3 for the private-app subnets. Its policy
// allows reading every object, because image layers and packages are in buckets of AWS and of
// registry.k8s.io. The policy allows other actions only for principals and buckets of this account.
// So an attacker can't write stolen data to other buckets.
//
// Reading has no condition on aws:SourceVpc, because only the VPC can use the endpoint.
// Also, requests that AWS's services send for a principal may lack that key.
func (b *builder) createStorageEndpoint() error {
	account := b.args.Account
	document, err := iam.EndpointPolicy(iam.Statement{
		Sid:        "Read",
		Principals: []iam.Principal{iam.Everyone()},
		Actions:    []string{"s3:GetObject"},
		Resources:  iam.AnyResource(),
	}, iam.Statement{
		Sid:        "Own",
		Principals: []iam.Principal{iam.Everyone()},
		Actions:    []string{"s3:*"},
		Resources:  iam.AnyResource(),
		Conditions: []iam.Condition{
			iam.Equals("aws:PrincipalAccount", account.ID),
			iam.Equals("aws:ResourceAccount", account.ID),
		},
	})
	if err != nil {
		return fmt.Errorf("policy of the S3 endpoint: %w", err)
	}
	var routeTableIDs pulumi.StringArray
	for _, zone := range b.args.Zones {
		routeTableIDs = append(routeTableIDs, b.routeTables[subnetKey{subnet.PrivateApp, zoneLetter(zone)}].ID())
	}
	endpoint, err := ec2.NewVpcEndpoint(b.ctx, b.name+"-endpoint-s3", &ec2.VpcEndpointArgs{
		VpcId:           b.vpc.ID(),
		VpcEndpointType: pulumi.String("Gateway"),
		ServiceName:     b.serviceName("s3"),
		RouteTableIds:   routeTableIDs,
		Policy:          document,
		Tags:            b.tags("endpoint-s3"),
	}, b.parent)
	if err != nil {
		return fmt.Errorf("endpoint of s3: %w", err)
	}
	b.ready = append(b.ready, endpoint)
	return nil
}

// AllowEndpointAccess allows a security group to connect to the interface endpoints. The names
// of the services resolve to the endpoints in the whole VPC. So members of other groups can't
// reach these services. client is a name for the group, such as "nodes". AllowEndpointAccess
// does nothing if the stack has no interface endpoints.
func (n *Network) AllowEndpointAccess(client string, securityGroupID pulumi.StringInput) error {
	b := n.builder
	if b == nil || b.endpointGroup == nil {
		return nil
	}
	source := access.Source{Name: client, SecurityGroupID: securityGroupID}
	rule, err := access.NewRule(b.ctx, b.name+"-endpoints", b.endpointGroup.ID(), source, b.parent)
	if err != nil {
		return err
	}
	n.Ready = append(n.Ready, rule)
	return nil
}
