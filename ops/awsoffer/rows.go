package awsoffer

import (
	"regexp"
	"strings"

	"github.com/progressive-framework/platform/policy/cost"
)

// regionPrefix matches the prefix of many usage types: a short code of the region such as EU- or
// USE2-, or for KMS the region's name.
var regionPrefix = regexp.MustCompile(`^([A-Z]{2,4}[0-9]{0,2}|[a-z]{2}(-gov)?-[a-z]+-[0-9])-`)

// usageRows maps a service (code), a usage type and an operation to a row of the price table. An
// empty operation matches every operation.
var usageRows = []struct{ code, usage, operation, sku, unit string }{
	{"AWSELB", "LoadBalancerUsage", "LoadBalancing:Application", "load-balancer:application", "hour"},
	{"AWSELB", "LoadBalancerUsage", "LoadBalancing:Network", "load-balancer:network", "hour"},
	{"AWSELB", "LCUUsage", "LoadBalancing:Application", "load-balancer:lcu", "LCU-hour"},
	{"AWSSecretsManager", "AWSSecretsManager-Secrets", "", "secretsmanager:secret", "month"},
	{"AmazonCloudWatch", "CW:AlarmMonitorUsage", "", "cloudwatch:alarm:standard", "alarm-metric-month"},
	{"AmazonCloudWatch", "CW:HighResAlarmMonitorUsage", "", "cloudwatch:alarm:high-resolution", "alarm-metric-month"},
	{"AmazonCloudWatch", "CW:MetricMonitorUsage", "", "cloudwatch:metric", "metric-month"},
	{"AmazonCloudWatch", "DataProcessing-Bytes", "PutLogEvents", "cloudwatch:logs", "GB"},
	{"AmazonDocDB", "StorageUsage", "", "docdb:storage", "GB-month"},
	{"AmazonEC2", "EBS:VolumeUsage.gp3", "", "ebs:gp3", "GB-month"},
	{"AmazonEC2", "NatGateway-Bytes", "NatGateway", "nat-gateway:data", "GB"},
	{"AmazonEC2", "NatGateway-Hours", "NatGateway", "nat-gateway", "hour"},
	{"AmazonEKS", "AmazonEKS-Hours:perCluster", "", "eks:standard", "hour"},
	{"AmazonVPC", "PublicIPv4:InUseAddress", "", "public-ipv4", "hour"},
	{"AmazonVPC", "VpcEndpoint-Bytes", "VpcEndpoint", "vpc-endpoint:data", "GB"},
	{"AmazonVPC", "VpcEndpoint-Hours", "VpcEndpoint", "vpc-endpoint:interface", "hour"},
	{"awskms", "KMS-Keys", "", "kms:key", "month"},
	{"awswaf", "RuleV2", "", "wafv2:rule", "rule-month"},
	{"awswaf", "WebACLV2", "", "wafv2:web-acl", "month"},
}

// rdsVolumeTypes maps the name of a volume type in the offer file of RDS to the name in the API.
var rdsVolumeTypes = map[string]string{"General Purpose": "gp2", "General Purpose-GP3": "gp3"}

// newPriceRow returns the row of a product without its price. Its SKU is empty if the price table
// has no such row.
func newPriceRow(code string, p product) cost.Price {
	attributes := p.Attributes
	row := cost.Price{Region: attributes["regionCode"], Unit: "hour"}
	usage := regionPrefix.ReplaceAllString(attributes["usagetype"], "")
	for _, u := range usageRows {
		if u.code == code && u.usage == usage && (u.operation == "" || u.operation == attributes["operation"]) {
			row.SKU, row.Unit = u.sku, u.unit
			return row
		}
	}
	deploymentOption := strings.ToLower(attributes["deploymentOption"])
	isPriced := deploymentOption == "single-az" || deploymentOption == "multi-az" // RDS also has readable standbys
	switch code + " " + p.Family {
	case "AmazonEC2 Compute Instance":
		if attributes["operatingSystem"] == "Linux" && attributes["tenancy"] == "Shared" && attributes["preInstalledSw"] == "NA" && attributes["capacitystatus"] == "Used" && strings.HasPrefix(usage, "BoxUsage:") {
			row.SKU = "ec2:" + attributes["instanceType"]
		}
	case "AmazonRDS Database Instance":
		if attributes["databaseEngine"] == "PostgreSQL" && isPriced {
			row.SKU = "rds:postgres:" + deploymentOption + ":" + attributes["instanceType"]
		}
	case "AmazonRDS Database Storage":
		if kind := rdsVolumeTypes[attributes["volumeType"]]; kind != "" && attributes["databaseEngine"] == "PostgreSQL" && isPriced {
			row.SKU, row.Unit = "rds:storage:"+deploymentOption+":"+kind, "GB-month"
		}
	case "AmazonElastiCache Cache Instance":
		if attributes["cacheEngine"] == "Redis" && strings.HasPrefix(usage, "NodeUsage:") { // the other usage types are extended support
			row.SKU = "elasticache:redis:" + attributes["instanceType"]
		}
	case "AmazonDocDB Database Instance":
		if strings.HasPrefix(usage, "InstanceUsage:") { // the other usage types include I/O
			row.SKU = "docdb:" + attributes["instanceType"]
		}
	}
	return row
}
