package rules

const egressOnlyGatewayType = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"

var _ = registerRows(&Row{
	Token:  egressOnlyGatewayType,
	Source: "ec2/vpc_egress_only_internet_gateway.go", Page: "vpc/latest/userguide/egress-only-internet-gateway.html",
	Label: "EC2 Egress-only Internet Gateway", ID: "eigw-{hex17}", NotFound: "InvalidGatewayID.NotFound",
	Props: Props{"vpcId": {Replace: true, Ref: toVPC}},
	// The limit is in vpc/latest/userguide/amazon-vpc-limits.html. The error code was not
	// checked against AWS's documentation.
	Unique: []Unique{{
		Props: []string{"vpcId"}, Code: "EgressOnlyInternetGatewayLimitExceeded",
		Message: "Network {vpcId} already has an egress-only internet gateway attached",
	}},
})
