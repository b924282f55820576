package rules

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/schema"
	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// function computes the result of a Pulumi function (invoke). Its inputs were checked
// against the schema.
type function func(c *Call, in Object) (Object, error)

// functions maps the token of a Pulumi function to the implementation in the stand-in. The
// sources are the data sources of the same names in terraform-provider-aws.
var functions = map[string]function{
	"aws:index/getCallerIdentity:getCallerIdentity":       getCallerIdentity,
	"aws:index/getRegion:getRegion":                       getRegion,
	"aws:index/getPartition:getPartition":                 getPartition, // meta/partition_data_source.go
	"aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
	"aws:ecr/getAuthorizationToken:getAuthorizationToken": getAuthorizationToken,
	"aws:ecr/getCredentials:getCredentials":               getCredentials,
	"aws:ecr/getImage:getImage":                           getImage,
	"aws:iam/getPolicyDocument:getPolicyDocument":         getPolicyDocument, // iam/policy_document_data_source.go
	"aws:eks/getCluster:getCluster":                       getCluster,
	"aws:eks/getClusters:getClusters":                     getClusters,

	"aws:cloudfront/getCachePolicy:getCachePolicy":                 getCachePolicy,         // cloudfront/cache_policy_data_source.go
	"aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy": getOriginRequestPolicy, // cloudfront/origin_request_policy_data_source.go
	"aws:route53/getZone:getZone":                                  getZone,                // route53/zone_data_source.go
	"aws:ec2/getAmi:getAmi":                                        getAMI,
	"aws:ec2/getManagedPrefixList:getManagedPrefixList":            getManagedPrefixList,
	"aws:ec2/getSecurityGroup:getSecurityGroup":                    getSecurityGroup,
	"aws:ec2/getVpc:getVpc":                                        getVPC,
	"aws:ec2/getSubnet:getSubnet":                                  getSubnet,
	"aws:ec2/getRouteTables:getRouteTables":                        getRouteTables,
	"aws:ec2/getRouteTable:getRouteTable":                          getRouteTable,
	"aws:ec2/getInternetGateway:getInternetGateway":                getInternetGateway,
	"aws:rds/getSnapshot:getSnapshot":                              getSnapshot,
	"aws:rds/getClusterSnapshot:getClusterSnapshot":                getClusterSnapshot,
	"aws:rds/getInstances:getInstances":                            getInstances,
	"aws:rds/getInstance:getInstance":                              getInstance, // rds/instance_data_source.go
	"aws:rds/getClusters:getClusters":                              getDatabaseClusters,
	"aws:ssm/getParameter:getParameter":                            getParameter,
	// secretsmanager/random_password_data_source.go
	"aws:secretsmanager/getRandomPassword:getRandomPassword": getRandomPassword,
}

// FunctionTokens returns the tokens of the functions, sorted.
func FunctionTokens() []string { return slices.Sorted(maps.Keys(functions)) }

// Invoke calls a Pulumi function. It returns failures for inputs that do not fit the
// schema. Secret values of the result have the type wire.Secret.
func (c *Cloud) Invoke(ctx context.Context, token string, in Object) (result Object, failures []Failure, err error) {
	defer recoverPanic(token, &err)
	s, hasSchema, err := schema.LookupFunction(token)
	if err != nil {
		return nil, nil, err
	}
	compute, exists := functions[token]
	if !hasSchema || !exists {
		return nil, nil, &UnknownTypeError{token}
	}
	for _, problem := range schema.CheckInputs(s.Inputs, s.Object, in) {
		failures = append(failures, Failure{problem.Path, problem.Reason})
	}
	if len(failures) > 0 {
		return nil, failures, nil
	}
	var out Object
	err = c.Store.View(ctx, func(tx *store.Tx) error {
		call := &Call{Cloud: c, Tx: tx, Context: ctx}
		if err := call.verifyServiceReachable(token); err != nil {
			return err
		}
		out, err = compute(call, in)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("invoking %s: %w", token, err)
	}
	for name := range s.Inputs { // the result repeats the inputs
		if v, given := in[name]; given && !out.Has(name) {
			out[name] = wire.Clone(v)
		}
	}
	return out, nil, nil
}

// getCallerIdentity implements the Pulumi function aws:index/getCallerIdentity. The user
// ids are invented.
func getCallerIdentity(c *Call, _ Object) (Object, error) {
	out := Object{
		"accountId": c.Account, "id": c.Account, "userId": "AIDASANDBOXSANDBOX000", "arn": c.callerARN(),
	}
	if c.Role != "" { // the id and ARN of an assumed role: IAM/latest/UserGuide/reference_identifiers.html
		out["userId"] = "AROASANDBOXSANDBOX000:sandbox"
		out["arn"] = fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/sandbox", c.Partition, c.Account, c.Role[strings.LastIndex(c.Role, "/")+1:])
	}
	return out, nil
}

// callerARN returns the ARN of the IAM user or role that calls AWS.
func (c *Cloud) callerARN() string {
	return cmp.Or(c.Role, fmt.Sprintf("arn:%s:iam::%s:user/sandbox", c.Partition, c.Account))
}

// getRegion implements the Pulumi function aws:index/getRegion. It describes the region in
// the inputs, or else the provider's region.
func getRegion(c *Call, in Object) (Object, error) {
	name := c.Region
	if requested := in.String("name"); requested != "" {
		name = requested
	}
	if in.Has("endpoint") {
		return nil, errors.New("the stand-in finds a region by its name, not by its endpoint")
	}
	region, ok := regions[name]
	if !ok {
		return nil, fmt.Errorf("the stand-in does not know the requested region %q: add it to sandbox/aws/rules/regions.go", name)
	}
	return Object{"id": name, "name": name, "description": region.consoleName, "endpoint": "ec2." + name + ".amazonaws.com"}, nil
}

// getPartition implements the Pulumi function aws:index/getPartition.
func getPartition(c *Call, _ Object) (Object, error) {
	return Object{"id": c.Partition, "partition": c.Partition, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
}

// getAvailabilityZones implements the Pulumi function aws:index/getAvailabilityZones. Its
// source is ec2/availability_zones_data_source.go of terraform-provider-aws. The stand-in
// has no Local Zones and no Wavelength Zones, so no zone needs an opt-in.
func getAvailabilityZones(c *Call, in Object) (Object, error) {
	zones := c.zones()
	if state := in.String("state"); state != "" && state != "available" {
		zones = nil
	}
	for _, filter := range in.Objects("filters") {
		values := filter.Strings("values")
		var zoneValue string // the value that every zone has
		switch filter.String("name") {
		case "opt-in-status":
			zoneValue = "opt-in-not-required"
		case "zone-type":
			zoneValue = "availability-zone"
		case "region-name":
			zoneValue = c.Region
		default:
			return nil, fmt.Errorf("filter %q: the stand-in supports opt-in-status, zone-type and region-name", filter.String("name"))
		}
		if !slices.Contains(values, zoneValue) {
			zones = nil
		}
	}
	names, ids := []any{}, []any{}
	for _, z := range zones {
		if slices.Contains(in.Strings("excludeNames"), z.name) || slices.Contains(in.Strings("excludeZoneIds"), z.id) {
			continue
		}
		names, ids = append(names, z.name), append(ids, z.id)
	}
	groups := []any{}
	if len(names) > 0 {
		groups = append(groups, c.Region+"-zg-1") // AWSEC2/latest/APIReference/API_AvailabilityZone.html
	}
	return Object{"id": c.Region, "names": names, "zoneIds": ids, "groupNames": groups}, nil
}

// tokenLifetime is how long an authorization token of ECR is valid
// (AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
const tokenLifetime = 12 * time.Hour

// getAuthorizationToken implements the Pulumi function aws:ecr/getAuthorizationToken. The
// token contains the user name and the password of the sandbox's registry.
func getAuthorizationToken(c *Call, in Object) (Object, error) {
	if id := in.String("registryId"); id != "" && id != c.Account {
		return nil, refuse("AccessDeniedException", "the registry %s belongs to another account than %s", id, c.Account)
	}
	password, err := RegistryPassword(c.Layout)
	if err != nil {
		return nil, err
	}
	token := base64.StdEncoding.EncodeToString([]byte(registryUser + ":" + password))
	return Object{
		"id": c.Region, "userName": registryUser, "proxyEndpoint": "http://" + c.Layout.RegistryAddress(),
		"expiresAt":          c.Now().UTC().Add(tokenLifetime).Format(time.RFC3339),
		"authorizationToken": wire.Secret{Value: token}, "password": wire.Secret{Value: password},
	}, nil
}

// getCredentials implements the Pulumi function aws:ecr/getCredentials. It returns the
// result of getAuthorizationToken without the user name and the password.
func getCredentials(c *Call, in Object) (Object, error) {
	out, err := getAuthorizationToken(c, in)
	if err != nil {
		return nil, err
	}
	delete(out, "password")
	delete(out, "userName")
	return out, nil
}

// HasFunction reports whether the stand-in implements the function with this token.
func HasFunction(token string) bool { _, ok := functions[token]; return ok }
