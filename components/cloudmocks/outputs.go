package cloudmocks

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type object = map[string]any

// completedByAWS are the properties that are objects, and a program sets only some of their
// fields. AWS adds the other fields.
var completedByAWS = []string{"vpcConfig", "kubernetesNetworkConfig"}

// computedOutputs returns the outputs of a resource that the provider or AWS would compute.
func computedOutputs(r Registration) object {
	masterSecrets := []any{object{"secretArn": "arn:aws:secretsmanager:" + Region + ":" + AccountID + ":secret:master-of-" + r.Name}}
	outputs := object{"name": r.Name, "arn": "arn:aws:mock:" + Region + ":" + AccountID + ":" + r.Name}
	maps.Copy(outputs, map[string]object{
		"aws:acm/certificate:Certificate":          {"domainValidationOptions": validationRecords(r.Inputs)},
		"aws:cloudfront/distribution:Distribution": {"domainName": "d1.cloudfront.net", "hostedZoneId": "Z2"},
		"aws:docdb/cluster:Cluster":                {"endpoint": "writer.docdb", "readerEndpoint": "reader.docdb", "masterUserSecrets": masterSecrets},
		"aws:ec2/launchTemplate:LaunchTemplate":    {"latestVersion": 7},
		"aws:ec2/vpc:Vpc":                          {"ipv6CidrBlock": "2600:1f18:0:100::/56"},
		"aws:ecr/repository:Repository":            {"repositoryUrl": "registry.example.com/" + r.Name},
		"aws:eks/cluster:Cluster": {
			"endpoint": "https://eks.example.com", "certificateAuthority": object{"data": "Q0E="},
			"kubernetesNetworkConfig": object{"serviceIpv4Cidr": "172.20.0.0/16"}, "vpcConfig": object{"clusterSecurityGroupId": "sg-eks"},
		},
		"aws:elasticache/replicationGroup:ReplicationGroup": {"configurationEndpointAddress": "configuration.redis"},
		"aws:kms/key:Key":                  {"keyId": r.Name + "-id"},
		"aws:lb/loadBalancer:LoadBalancer": {"dnsName": "alb.example.com", "zoneId": "Z1", "arnSuffix": "app/" + r.Name},
		"aws:lb/targetGroup:TargetGroup":   {"arnSuffix": "targetgroup/" + r.Name},
		"aws:rds/instance:Instance":        {"address": "postgres.rds", "resourceId": "db-1", "masterUserSecrets": masterSecrets},
		"aws:sqs/queue:Queue":              {"url": "https://sqs.example.com/" + r.Name},
		"aws:s3/bucketV2:BucketV2": {
			"bucket": r.Name, "bucketDomainName": r.Name + ".s3", "bucketRegionalDomainName": r.Name + ".s3.regional",
		},
		"ko:index:ChangeGuard": {"values": recordedValues(r.Inputs)},
		"ko:index:Image":       {"digest": "sha256:1", "tag": "stack-" + r.Name + "-000000000001", "reference": "registry.example.com/service@sha256:1"},
		"ko:index:Password":    {"value": "generated-" + r.Name},
		"ko:index:Promoted":    {"digest": "sha256:1", "tag": "promoted-stack-" + r.Name + "-000000000001", "reference": "registry.example.com/service@sha256:1"},
	}[r.Type])
	return outputs
}

// validationRecords returns the DNS records that validate the names of a certificate.
func validationRecords(certificate resource.PropertyMap) []any {
	var records []any
	for _, key := range []resource.PropertyKey{"domainName", "subjectAlternativeNames"} {
		names := []resource.PropertyValue{certificate[key]}
		if certificate[key].IsArray() {
			names = certificate[key].ArrayValue()
		}
		for _, name := range names {
			if name.IsString() {
				records = append(records, object{
					"domainName": name.StringValue(), "resourceRecordName": "_proof." + name.StringValue(),
					"resourceRecordType": "CNAME", "resourceRecordValue": "_acm",
				})
			}
		}
	}
	return records
}

// recordedValues returns the values that a new ChangeGuard records: the values of the Pulumi
// program, by the ids of the fields.
func recordedValues(guard resource.PropertyMap) object {
	values := object{}
	if fields, ok := guard["fields"]; ok && fields.IsObject() {
		for id, field := range fields.ObjectValue() {
			values[string(id)] = field.ObjectValue()["value"].StringValue()
		}
	}
	return values
}

// invokeResults are the results of invokes, by token.
var invokeResults = map[string]object{
	"aws:ec2/getSecurityGroup:getSecurityGroup":              {"id": "sg-vpc-origins"},
	"aws:ecr/getAuthorizationToken:getAuthorizationToken":    {"userName": "AWS", "password": "token", "proxyEndpoint": "https://registry.example.com"},
	"aws:ecr/getImage:getImage":                              {"imageUri": "registry.example.com/base@sha256:2"},
	"aws:eks/getClusters:getClusters":                        {"names": []any{}},
	"aws:index/getCallerIdentity:getCallerIdentity":          {"accountId": AccountID},
	"aws:index/getPartition:getPartition":                    {"partition": "aws"},
	"aws:rds/getInstances:getInstances":                      {"instanceIdentifiers": []any{}},
	"aws:route53/getZone:getZone":                            {"zoneId": "Z3", "id": "Z3", "name": "example.com", "privateZone": false},
	"aws:secretsmanager/getRandomPassword:getRandomPassword": {"randomPassword": "generated-password"},
	"aws:ssm/getParameter:getParameter":                      {"insecureValue": "ami-recommended"},
}

// zonesResult returns the result of getAvailabilityZones: a zone for each of the letters a to
// h. An id is invented unless ZoneIDs has it.
func (c *Cloud) zonesResult() object {
	region := c.Region
	if region == "" {
		region = Region
	}
	var names, ids []any
	for letter := 'a'; letter <= 'h'; letter++ {
		name := region + string(letter)
		id := c.ZoneIDs[name]
		if id == "" {
			id = region + "-az-" + string(letter)
		}
		names, ids = append(names, name), append(ids, id)
	}
	return object{"names": names, "zoneIds": ids}
}
