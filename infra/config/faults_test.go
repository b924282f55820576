package config

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account/regions"
	"github.com/progressive-framework/platform/components/datastore/rdsca"
)

// loadCase is one change of a valid configuration, and the error of Load. An empty want means that
// Load accepts it.
type loadCase struct {
	reason, key, value, want string
}

// checkLoad loads a valid configuration with each change, in us-east-1, and compares the error.
func checkLoad(t *testing.T, cases []loadCase, opts ...Option) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.reason, func(t *testing.T) {
			key := tc.key
			if !strings.Contains(key, ":") {
				key = Project + ":" + key
			}
			_, err := Load("prod", validValuesWith(map[string]string{key: tc.value}), opts...)
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
			for _, word := range []string{"source data", "mapstructure", "json:", "reflect", "0x", "<nil>"} {
				require.NotContains(t, err.Error(), word, "an error is in plain words")
			}
		})
	}
}

// A key that the program does not read is refused in every namespace, with the most
// similar key.
func TestUnreadKeysAreRefused(t *testing.T) {
	checkLoad(t, []loadCase{
		{"a misspelled key", "netwrok", "{}", `netwrok: Forbidden: no such key; did you mean "network"?`},
		{"a member without --path", "network.cidr", "10.0.0.0/16", "pulumi config set --path progressive-framework:network.cidr"},
		{"a member at the top", "natGateways", "single", `did you mean "network.natGateways"?`},
		{"a misspelled member", "postgres", `{"instanceClas":"db.r7g.xlarge"}`, `postgres.instanceClas: Forbidden: no such key; did you mean "instanceClass"?`},
		{"a misspelled member of a tier", "tiers", `{"web":{"maximum":3}}`, "tiers.web.maximum: Forbidden: no such key"},
		{"a misspelled project", "progressive-framwork:environment", "prod", `did you mean "progressive-framework:environment"?`},
		{"an unknown namespace", "azure:location", "west", `azure:location: Forbidden: nothing reads the namespace "azure"`},
		{"a key of the Kubernetes provider", "kubernetes:namespace", "a", "kubernetes:namespace: Forbidden: no key of the Kubernetes provider is read"},
		{"a misspelled key of AWS", "aws:allowedAcountIds", `["123456789012"]`, `did you mean "allowedAccountIds"?`},
		{"a misspelled region", "aws:regoin", "us-east-1", `did you mean "region"?`},
		{"a key of AWS in the project's namespace", "defaultTags", `{"tags":{"a":"b"}}`, `defaultTags: Forbidden: no such key; did you mean "aws:defaultTags"?`},
		{"the region in the project's namespace", "region", "us-east-1", `did you mean "aws:region"?`},
		{"a key of the project in AWS's namespace", "aws:account", "123456789012", `did you mean "progressive-framework:account"?`},
		{"a credential", "aws:secretKey", "x", "set aws:profile"},
		{"a chain of roles", "aws:assumeRoles", `[{"roleArn":"arn:aws:iam::123456789012:role/a"}]`, "aws:assumeRoles: Forbidden: is not passed on"},
		{"a role of the account", "aws:assumeRole", `{"roleArn":"arn:aws:iam::123456789012:role/deployer"}`, ""},
		{"a role of another account", "aws:assumeRole", `{"roleArn":"arn:aws:iam::210987654321:role/deployer"}`, "aws:assumeRole.roleArn: Invalid value"},
		{"a role that is a user", "aws:assumeRole", `{"roleArn":"arn:aws:iam::123456789012:user/deployer"}`, "must be the ARN of an IAM role"},
		{"a role of another partition", "aws:assumeRole", `{"roleArn":"arn:aws-cn:iam::123456789012:role/deployer"}`, "is of partition aws-cn"},
		{"a member that `aws eks get-token` lacks", "aws:assumeRole", `{"roleArn":"arn:aws:iam::123456789012:role/deployer","externalId":"x"}`, "aws:assumeRole.externalId: Forbidden: no such key"},
		{"a key that skips a check of the provider", "aws:skipCredentialsValidation", "true", "aws:skipCredentialsValidation: Forbidden"},
		{"an endpoint other than AWS", "aws:endpoints", `[{"s3":"http://localhost"}]`, "aws:endpoints: Forbidden"},
		{"a key that an environment variable replaces", "aws:maxRetries", "3", "set AWS_MAX_ATTEMPTS in the environment"},
		{"tags that others set, ignored", "aws:ignoreTags", `{"keyPrefixes":["cost:"]}`, ""},
		{"the stack's own tags ignored", "aws:ignoreTags", `{"keyPrefixes":["Env"]}`, "aws:ignoreTags: Forbidden: ignores Environment"},
		{"a misspelled key of the engine", "pulumi:tagss", "{}", `did you mean "tags"?`},

		{"a profile", "aws:profile", "platform", ""},
		{"allowed accounts", "aws:allowedAccountIds", `["123456789012"]`, "aws:allowedAccountIds: Forbidden: every account but progressive-framework:account"},
		{"forbidden accounts", "aws:forbiddenAccountIds", `["123456789012"]`, "aws:forbiddenAccountIds: Forbidden"},
		{"an account that lost its zero", "account", "12345678901", "account: Invalid value"},
		{"no account", "account", "", "account: Required value: the only AWS account"},
		{"tags for all resources", "aws:defaultTags", `{"tags":{"CostCenter":"1"}}`, ""},
		{"a tag of the program's own", "aws:defaultTags", `{"tags":{"Environment":"x"}}`, "aws:defaultTags.tags.Environment: Forbidden"},
		{"a tag that means something to Kubernetes", "aws:defaultTags", `{"tags":{"kubernetes.io/cluster/x":"owned"}}`, "Forbidden: is a key that AWS or Kubernetes gives a meaning"},
		{"a tag of the program's own in lower case", "aws:defaultTags", `{"tags":{"environment":"x"}}`, "aws:defaultTags.tags.environment: Forbidden"},
		{"two tags that IAM takes for one", "aws:defaultTags", `{"tags":{"CostCenter":"1","costcenter":"2"}}`, "aws:defaultTags.tags.costcenter: Forbidden: differs from another tag"},
		{"a tag with a character that AWS refuses", "aws:defaultTags", `{"tags":{"Cost&Center":"1"}}`, "must have a key and a value of letters, digits"},
		{"a tag's value with a character that AWS refuses", "aws:defaultTags", `{"tags":{"CostCenter":"<1>"}}`, "aws:defaultTags.tags.CostCenter: Invalid value"},
		{"a tag with a space at its end", "aws:defaultTags", `{"tags":{"CostCenter ":"1"}}`, "no space at the key's ends"},
		{"a tag with letters of other languages", "aws:defaultTags", `{"tags":{"Kostenträger":"Zürich 1"}}`, ""},
		{"tags by which EKS finds subnets, ignored", "aws:ignoreTags", `{"keyPrefixes":["kubernetes.io/"]}`, "aws:ignoreTags: Forbidden: ignores kubernetes.io/cluster/progressive-framework-staging"},
		{"tags by which the Cluster Autoscaler finds groups, ignored", "aws:ignoreTags", `{"keys":["k8s.io/cluster-autoscaler/enabled"]}`, "aws:ignoreTags: Forbidden"},
		{"tags of another cluster", "aws:ignoreTags", `{"keys":["kubernetes.io/cluster/other"]}`, ""},
		{"a profile on two lines", "aws:profile", "a\nb", "aws:profile: Invalid value: \"a\\nb\": must be one line"},
		{"a profile of endless length", "aws:profile", strings.Repeat("a", 3000), "must be one line of at most 2048 bytes"},
		{"a role with a name that IAM refuses", "aws:assumeRole", `{"roleArn":"arn:aws:iam::123456789012:role/` + strings.Repeat("a", 65) + `"}`, "aws:assumeRole.roleArn: Invalid value"},
		{"more tags than a resource may have", "aws:defaultTags", tagsJSON(41), "aws:defaultTags.tags: Invalid value: 41: must have at most 40 tags"},
		{"as many tags as a resource may have", "aws:defaultTags", tagsJSON(40), ""},
		{"tags without their object", "aws:defaultTags", `{"CostCenter":"1"}`, "aws:defaultTags.CostCenter: Forbidden: no such key"},
	})
	_, err := Load("prod", validValuesWith(map[string]string{
		"aws:assumeRole": `{"roleArn":"arn:aws:iam::123456789012:role/deployer"}`, clusterKey: `{"admins":["arn:aws:iam::123456789012:role/deployer"]}`,
	}))
	require.ErrorContains(t, err, "cluster.admins[0]: Invalid value: \"arn:aws:iam::123456789012:role/deployer\": is the role of aws:assumeRole")
}

// Every invalid key is refused by its path, before a resource is registered. The
// message names the rule.
func TestInvalidKeysAreRefusedBeforeTheFirstResource(t *testing.T) {
	checkLoad(t, []loadCase{
		{"no administrator", "cluster", `{"admins":[]}`, "cluster.admins: Invalid value: 0: must have 1 entry or more"},
		{"an administrator twice", "cluster", `{"admins":["arn:aws:iam::123456789012:role/a","arn:aws:iam::123456789012:role/a"]}`, "cluster.admins[1]: Duplicate value"},
		{"two administrators whose names differ in case", "cluster", `{"admins":["arn:aws:iam::123456789012:role/A","arn:aws:iam::123456789012:role/a"]}`, "cluster.admins[1]: Invalid value"},
		{"two administrators with the same name", "cluster", `{"admins":["arn:aws:iam::123456789012:role/a","arn:aws:iam::123456789012:user/b/a"]}`, "cluster.admins[1]: Invalid value"},
		{"an Identity Center role without its path", "cluster", `{"admins":["arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_0123456789abcdef"]}`, "role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_Admin_0123456789abcdef"},
		{"an Identity Center role with its path", "cluster", `{"admins":["arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef"]}`, ""},
		{"a service-linked role", "cluster", `{"admins":["arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"]}`, "service-linked"},
		{"a password in a URL", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://u:hunter2@a.io/b"}`, `auth.jwksUrl: Invalid value: "https://u:xxxxx@a.io/b"`},
		{"an administrator of another partition", "cluster", `{"admins":["arn:aws-cn:iam::123456789012:role/a"]}`, "is of partition aws-cn"},
		{"an administrator with an account of four digits", "cluster", `{"admins":["arn:aws:iam::1234:role/a"]}`, "must be the ARN of an IAM role or user"},
		{"an IPv6 block", "cluster", `{"publicAccessCidrs":["2001:db8::/32"]}`, "publicAccessCidrs[0]: Invalid value: \"2001:db8::/32\": must be IPv4"},
		{"a private block", "cluster", `{"publicAccessCidrs":["10.1.0.0/16"]}`, "is private or reserved"},
		{"a block of carrier-grade NAT", "cluster", `{"publicAccessCidrs":["100.64.0.0/16"]}`, "is private or reserved"},
		{"two blocks that cover the internet", "cluster", `{"publicAccessCidrs":["0.0.0.0/1","128.0.0.0/1"]}`, "publicAccessCidrs[1]"},
		{"a quarter of the internet", "cluster", `{"publicAccessCidrs":["64.0.0.0/2"]}`, "each /8 or longer"},
		{"a block within another", "cluster", `{"publicAccessCidrs":["203.0.0.0/16","203.0.113.0/24"]}`, "overlaps an earlier block"},
		{"bits beyond the prefix", "cluster", `{"publicAccessCidrs":["203.0.113.1/24"]}`, "no bits set beyond its prefix"},
		{"a public block", "cluster", `{"publicAccessCidrs":["203.0.113.0/24"]}`, ""},
		{"a required list without entries", "network", `{"cidr":"10.0.0.0/16","zones":[]}`, "network.zones: Invalid value: 0: must have 2 to 6 entries\n"},
		{"an optional list without entries", "tiers", `{"web":{"instanceTypes":[]}}`, "must have 1 to 40 entries: leave the key out for its default"},
		{"an entry without text", "network", `{"cidr":"10.0.0.0/16","zones":["us-east-1a",""]}`, "network.zones[1]: Invalid value: \"\": must not be empty, and must not begin or end with a space: remove it"},
		{"one zone of the control plane", "cluster", `{"zones":["us-east-1a"]}`, "cluster.zones: Invalid value: 1: must have 2 to 6 entries"},
		{"a zone that the region does not have", "network", `{"cidr":"10.0.0.0/16","zones":["us-east-1a","us-east-1g"]}`, "network.zones[1]: Invalid value: \"us-east-1g\": us-east-1 has no zone"},
		{"a zone of another region", "network", `{"cidr":"10.0.0.0/16","zones":["us-east-1a","eu-west-1a"]}`, `"eu-west-1a" is not a zone of us-east-1`},
		{"an existing VPC", "network", `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]}`, ""},
		{"an existing VPC and a block", "network", `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"],"cidr":"10.0.0.0/16"}`,
			"network.cidr: Forbidden: has no effect with network.vpcId"},
		{"an existing VPC, zones and layouts", "network", `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"],"zones":["us-east-1a","us-east-1b"],"natGateways":"single","endpoints":"none"}`,
			"3 error(s)"},
		{"an existing VPC without subnets", "network", `{"vpcId":"vpc-0123456789abcdef0"}`, "network.privateSubnetIds: Required value"},
		{"a VPC by its name", "network", `{"vpcId":"main","privateSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]}`, "network.vpcId: Invalid value: \"main\""},
		{"a subnet by its block", "network", `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0","10.0.0.0/20"]}`, "network.privateSubnetIds[1]: Invalid value"},
		{"one subnet", "network", `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0"]}`, "network.privateSubnetIds: Invalid value: 1: must have 2 to 6 entries"},
		{"subnets without their VPC", "network", `{"cidr":"10.0.0.0/16","zones":["us-east-1a","us-east-1b"],"databaseSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]}`,
			"network.databaseSubnetIds: Forbidden: needs network.vpcId"},
		{"a database from a snapshot", "postgres", `{"instanceClass":"db.r7g.xlarge","snapshotIdentifier":"rds:platform-2026-11-28-03-10"}`, ""},
		{"a snapshot of another account", "postgres", `{"instanceClass":"db.r7g.xlarge","snapshotIdentifier":"arn:aws:rds:us-east-1:210987654321:snapshot:a"}`,
			"postgres.snapshotIdentifier: Invalid value"},
		{"a snapshot for a store in the cluster", "redis", `{"kind":"inCluster","image":"ecr://debian/redis:7","snapshotName":"last"}`, "redis.snapshotName: Forbidden: has no effect with kind inCluster"},
		{"a cache from a snapshot of a database", "redis", `{"kind":"managed","nodeType":"cache.r7g.large","snapshotName":"rds:platform-2026-11-28-03-10"}`, "redis.snapshotName: Invalid value"},
		{"a snapshot with a space", "mongo", `{"kind":"managed","instanceClass":"db.r6g.large","snapshotIdentifier":"last one"}`, "mongo.snapshotIdentifier: Invalid value"},
		{"text after an object", "network", `{"cidr":"10.0.0.0/16","zones":["us-east-1a","us-east-1b"]}}`, "network: Invalid value"},
		{"two objects", "postgres", `{"instanceClass":"db.r7g.xlarge"} {}`, "postgres: Invalid value"},
		{"a member twice", "network", `{"cidr":"10.0.0.0/16","cidr":"10.1.0.0/16","zones":["us-east-1a","us-east-1b"]}`, `must be an object, and has the member "cidr" twice`},
		{"a member of a member twice", "tiers", `{"web":{"min":1,"max":9,"min":2}}`, `has the member "min" twice`},
		{"the same member of two objects", "services", `{"web":{"min":3},"mca":{"min":3}}`, ""},
		{"a kind of another store", "mongo", `{"kind":"inCluster"}`, "mongo.kind: Unsupported value: \"inCluster\""},
		{"a port that no URL has", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://a:99999/b"}`, "auth.jwksUrl: Invalid value"},
		{"a port", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://a:8443/b"}`, ""},
		{"a port without a host", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://:443/b"}`, "auth.jwksUrl: Invalid value"},
		{"an IPv6 address, which no pod reaches", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://[2001:db8::1]/b"}`, "the pods have IPv4 addresses only"},
		{"localhost, which is the pod itself", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://localhost/b"}`, "localhost is the pod itself"},
		{"localhost in capitals and with a dot", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://LOCALHOST./b"}`, "localhost is the pod itself"},
		{"an address as one number", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://2130706433/b"}`, "is a DNS name or an IPv4 address"},
		{"an address with five numbers", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://10.1.2.3.4/b"}`, "is a DNS name or an IPv4 address"},
		{"a host with a character that DNS names do not have", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://a_b/b"}`, "is a DNS name or an IPv4 address"},
		{"the loopback address", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://127.0.0.1/b"}`, "its address is reserved"},
		{"the metadata of the node", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://169.254.169.254/b"}`, "its address is reserved"},
		{"an issuer in a connected network", "auth", `{"issuer":"a","audience":"b","jwksUrl":"https://10.1.2.3/b"}`, ""},
		{"an internationalized domain outside its zone", "edge", `{"domain":"app.xn--80asehdb","zone":"xn--80asehdb.xn--p1ai"}`, "edge.zone: Invalid value"},
		{"an internationalized top-level domain", "edge", `{"domain":"app.shop.xn--p1ai","zone":"shop.xn--p1ai"}`, ""},
		{"a certificate of another account", "edge", `{"domain":"example.com","certificateArn":"arn:aws:acm:us-east-1:210987654321:certificate/0a","originCertificateArn":"arn:aws:acm:us-east-1:123456789012:certificate/0a"}`,
			"edge.certificateArn: Invalid value: \"arn:aws:acm:us-east-1:210987654321:certificate/0a\": is a certificate of another account"},
		{"an alarm of another partition", "edge", `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws-cn:sns:us-east-1:123456789012:a"}`, "edge.alarmTopicArn"},
		{"a boundary with a name that IAM refuses", "permissionsBoundary", "arn:aws:iam::123456789012:policy/" + strings.Repeat("a", 129), "permissionsBoundary: Invalid value"},
		{"a block that is reserved for protocols", "cluster", `{"publicAccessCidrs":["192.0.0.0/24"]}`, "is private or reserved"},
		{"an unknown level", "policy", `{"levels":{"log-group-year":"none"}}`, `policy.levels.log-group-year: Unsupported value: "none"`},
		{"a list that is text", "network", `{"cidr":"10.0.0.0/16","zones":"us-east-1a"}`, "network.zones: Invalid value: \"us-east-1a\": must be a list, such as [a, b]"},
		{"a list that is an object", "images", `{"platforms":{"a":"b"}}`, "images.platforms: Invalid value: \"{\\\"a\\\":\\\"b\\\"}\": must be a list"},
		{"an object that is a list", "postgres", `["db.r7g.large"]`, "postgres: Invalid value: \"[\\\"db.r7g.large\\\"]\": must be an object"},
		{"text that is a number", "auth", `{"issuer":1.5,"audience":"a","jwksUrl":"https://a/b"}`, "auth.issuer: Invalid value: 1.5: must be text; put it in quotes"},
		{"digits, which the CLI writes as a number", "auth", `{"issuer":5,"audience":"a","jwksUrl":"https://a/b"}`, ""},
		{"text that is true", "auth", `{"issuer":true,"audience":"a","jwksUrl":"https://a/b"}`, "auth.issuer: Invalid value: true: must be text; put it in quotes"},
		{"true in quotes", "edge", `{"domain":"example.com","zone":"example.com","webAcl":"true"}`, "edge.webAcl: Invalid value: \"true\": must be true or false"},
		{"a region that is misspelled", "aws:region", "us-esat-1", "aws:region: Invalid value: \"us-esat-1\": must be the name of an AWS region"},
		{"a negative volume in the cluster", "redis", `{"kind":"inCluster","image":"ecr://debian/redis:7","storageGiB":-1}`, "redis.storageGiB: Invalid value: -1: must be 1 to 16384"},
		{"an issuer with a space", "auth", `{"issuer":"a b","audience":"c","jwksUrl":"https://a/b"}`, "auth.issuer: Invalid value"},
		{"a top-level domain as the zone", "edge", `{"domain":"a-very-long-name-of-a-platform-that-nobody-types.environment.example","zone":"example"}`, "edge.zone: Invalid value"},
		{"a domain that is too long for its certificate", "edge", `{"domain":"a-very-long-name-of-a-platform-that-nobody-types.environment.example","zone":"environment.example"}`, "edge.domain: Invalid value"},
		{"an alarm of another region", "edge", `{"domain":"example.com","zone":"example.com","alarmTopicArn":"arn:aws:sns:eu-west-1:123456789012:a"}`, "edge.alarmTopicArn"},
		{"a rate that AWS WAF refuses", "edge", `{"domain":"example.com","zone":"example.com","requestsPerAddress":5}`, "edge.requestsPerAddress: Invalid value: 5: must be 10 to"},
		{"a reference with a scheme", "redis", `{"kind":"inCluster","image":"ecr://debian/redis:7@sha256:` + strings.Repeat("a", 64) + `"}`, "redis.image: Invalid value"},
		{"a repository with two slashes", "redis", `{"kind":"inCluster","image":"ecr://debian//redis:7"}`, "redis.image: Invalid value"},
		{"a repository beyond ECR's limit", "redis", `{"kind":"inCluster","image":"ecr://` + strings.Repeat("a", 257) + `:7"}`, "redis.image: Invalid value"},
		{"a tag that is empty", "redis", `{"kind":"inCluster","image":"redis:@sha256:` + strings.Repeat("a", 64) + `"}`, "redis.image: Invalid value"},
		{"a tag and a digest", "redis", `{"kind":"inCluster","image":"localhost:5000/library/redis:7@sha256:` + strings.Repeat("a", 64) + `"}`, ""},
		{"a digest that is short", "redis", `{"kind":"inCluster","image":"redis@sha256:` + strings.Repeat("a", 63) + `"}`, "redis.image: Invalid value"},
		{"a signer whose ARN ends with a slash", "images", `{"kmsSigners":["arn:aws:iam::123456789012:role/a/"]}`, "images.kmsSigners[0]: Invalid value"},
		{"a signer with a longer name than IAM has", "images", `{"kmsSigners":["arn:aws:iam::123456789012:role/` + strings.Repeat("a", 65) + `"]}`, "images.kmsSigners[0]: Invalid value"},
		{"a signer of Identity Center without its path", "images", `{"kmsSigners":["arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_0123456789abcdef"]}`, "role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_Admin_0123456789abcdef"},
		{"a signer with a path", "images", `{"kmsSigners":["arn:aws:iam::123456789012:role/team/deployer"]}`, ""},
		{"a signing key of another cloud", "images", `{"signingKey":"gcpkms://projects/a"}`, "images.signingKey: Invalid value: \"gcpkms://projects/a\": must be a file of the project, or a key of AWS KMS such as awskms:///alias/NAME"},
		{"a signing key with two slashes", "images", `{"signingKey":"awskms://alias/a"}`, "awskms:// names neither"},
		{"a cached path that no browser sends", "edge", `{"domain":"example.com","zone":"example.com","cacheable":["/api/v1/../x"]}`, "edge.cacheable: Invalid value"},
		{"a storage class that is not a name", "storageClass", "Fast SSD", "storageClass: Forbidden"},
		{"a boundary that is a role", "permissionsBoundary", "arn:aws:iam::123456789012:role/a", "permissionsBoundary: Invalid value"},
		{"a boundary of another partition", "permissionsBoundary", "arn:aws-cn:iam::123456789012:policy/a", "is of partition aws-cn"},
		{"a boundary", "permissionsBoundary", "arn:aws:iam::123456789012:policy/team/boundary", ""},
	})
}

// tagsJSON returns a value of aws:defaultTags with n tags.
func tagsJSON(n int) string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("%q:%q", fmt.Sprint("Team", i), "x"))
	}
	return `{"tags":{` + strings.Join(pairs, ",") + `}}`
}

// withAuthorityFile returns the option for a project with the certificate authorities in the file
// ca.pem.
func withAuthorityFile(t *testing.T) Option {
	t.Helper()
	return WithFiles(fstest.MapFS{"ca.pem": {Data: rdsca.Certificates("us-east-1")}})
}

// The program has the certificate authorities of most regions. A stack may name a file with others.
func TestCABundleIsOfTheRegionOrOfCAFile(t *testing.T) {
	stack, err := Load("prod", validValuesWith(nil))
	require.NoError(t, err)
	require.Equal(t, rdsca.Certificates(stack.Region), stack.CABundle)
	own := fstest.MapFS{"ca.pem": {Data: rdsca.Certificates("eu-west-1")}}
	stack, err = Load("prod", validValuesWith(map[string]string{Project + ":caFile": "ca.pem"}), WithFiles(own))
	require.NoError(t, err)
	require.Equal(t, own["ca.pem"].Data, stack.CABundle)
}

// A region of another partition is accepted if the stack names the certificate authorities of its
// stores. An edge is refused, because CloudFront does not serve the partition.
func TestOtherPartitionsNeedAuthoritiesAndHaveNoEdge(t *testing.T) {
	for _, region := range []string{"eusc-de-east-1", "us-gov-west-1", "cn-north-1"} {
		network := `{"cidr":"10.20.0.0/16","zones":["` + region + `a","` + region + `b"]}`
		admins := `{"admins":["arn:` + regions.Partition(region) + `:iam::123456789012:role/operators"]}`
		_, err := Load("prod", validValuesWith(map[string]string{"aws:region": region, Project + ":network": network, clusterKey: admins}))
		require.ErrorContains(t, err, "caFile: Required value: clients could not verify the managed stores", region)
		_, err = Load("prod", validValuesWith(map[string]string{"aws:region": region, Project + ":network": network, clusterKey: admins, Project + ":caFile": "ca.pem"}), withAuthorityFile(t))
		require.NoError(t, err, region)
		_, err = Load("prod", validValuesWith(map[string]string{"aws:region": region, Project + ":network": network, clusterKey: admins, Project + ":edge": `{"domain":"example.com","zone":"example.com"}`}))
		require.ErrorContains(t, err, "edge.domain: Forbidden: CloudFront")
	}
}

// Load refuses a key that has no effect in the stack.
func TestKeysWithoutEffectAreRefused(t *testing.T) {
	const ownNodes = `{"nodes":"own"}`
	checkLoad(t, []loadCase{
		{"a managed key of a store in the cluster", "redis", `{"kind":"inCluster","image":"ecr://debian/redis:7","passwordGeneration":1}`, "redis.passwordGeneration: Forbidden: has no effect with kind inCluster: it belongs to managed"},
		{"the same key with the value zero", "redis", `{"kind":"inCluster","image":"ecr://debian/redis:7","passwordGeneration":0}`, "redis.passwordGeneration: Forbidden"},
		{"a key in the cluster of a managed store", "postgres", `{"instanceClass":"db.r7g.xlarge","cores":4}`, "postgres.cores: Forbidden: has no effect with kind managed: it belongs to inCluster"},
		{"an image of a managed store", "postgres", `{"instanceClass":"db.r7g.xlarge","image":"ecr://debian/postgres:15"}`, "postgres.image: Forbidden"},
		{"an instance class for kind none", "mongo", `{"instanceClass":"db.r6g.large"}`, "mongo.instanceClass: Forbidden: has no effect with kind none"},
		{"days of backups for kind none", "mongo", `{"kind":"none","backupDays":7}`, "mongo.backupDays: Forbidden: has no effect with kind none"},
		{"a node type for kind none", "redis", `{"kind":"none","nodeType":"cache.r7g.large"}`, "redis.nodeType: Forbidden"},
		{"a storage class that no volume has", "storageClass", "gp3", "storageClass: Forbidden: has no effect"},
		{"a key of Prometheus without podScaling", "prometheus", `{"replicas":1}`, "prometheus: Forbidden: has no effect without podScaling.enabled"},
		{"an interval of VPA without podScaling", "podScaling", `{"resizeSeconds":30}`, "podScaling.resizeSeconds: Forbidden: has no effect without podScaling.enabled"},
		{"a number of on-demand instances without spot", "tiers", `{"web":{"onDemandBase":2}}`, "tiers.web.onDemandBase: Forbidden: has no effect without spotShare"},
		{"a web ACL without an edge", "edge", `{"webAcl":true}`, "these keys have no effect: edge.webAcl"},
		{"a mode without an edge", "edge", `{"webAclMode":"block"}`, "edge.webAclMode"},
		{"a certificate and a zone", "edge", `{"domain":"example.com","zone":"example.com","originCertificateArn":"arn:aws:acm:us-east-1:123456789012:certificate/0a"}`, "edge.originCertificateArn: Forbidden: has no effect with edge.zone"},
	})
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    string
	}{
		{"tiers of nodes that the stack does not create", map[string]string{"cluster": ownNodes, "tiers": `{"web":{"min":1}}`}, "tiers: Forbidden: has no effect with cluster.nodes: own"},
		{"a load balancer without nodes", map[string]string{"cluster": ownNodes, "edge": `{"domain":"example.com","zone":"example.com"}`}, "edge.domain: Forbidden: can't work with cluster.nodes: own"},
		{"platforms for nodes that the stack does not create", map[string]string{"cluster": ownNodes, "storageClass": "a", "mongo": `{"kind":"none"}`, "redis": `{"kind":"none"}`, "postgres": `{"kind":"inCluster","image":"ecr://a/b:c","memoryMiB":1024,"connections":50,"platforms":["linux/arm64"]}`}, "postgres.platforms: Forbidden"},
		{"a login on nodes that the stack does not create", map[string]string{"cluster": `{"nodes":"own","sessionManager":false}`}, "cluster.sessionManager: Forbidden: has no effect with cluster.nodes: own"},
		{"a mirror without an image to pull", map[string]string{"cluster": ownNodes, "images": `{"mirror":"ecr://mirror"}`}, "images.mirror: Forbidden: has no effect without podScaling.enabled and with cluster.nodes: own"},
		{"a mirror longer than a repository's name", map[string]string{"podScaling": `{"enabled":true}`, "images": `{"mirror":"ecr://` + strings.Repeat("a", 201) + `"}`}, "images.mirror: Invalid value"},
		{"more tags than the static files may have", map[string]string{"aws:defaultTags": tagsJSON(8), "edge": `{"domain":"example.com","zone":"example.com"}`}, "aws:defaultTags.tags: Invalid value: 8: must have at most 7 tags with edge.domain"},
		{"a workspace without permissions of pods", map[string]string{"cluster": ownNodes, "storageClass": "a", "podScaling": `{"enabled":true}`, "prometheus": `{"workspaceArn":"arn:aws:aps:us-east-1:123456789012:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"}`},
			"prometheus.workspaceArn: Forbidden: can't work with cluster.nodes: own"},
		{"a stage without parts to upgrade", map[string]string{"cluster": `{"nodes":"own","upgradeStage":"addons"}`}, "cluster.upgradeStage: Forbidden: has no effect with cluster.nodes: own"},
		{"database subnets without a managed store", map[string]string{
			"network":  `{"vpcId":"vpc-0123456789abcdef0","privateSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"],"databaseSubnetIds":["subnet-0123456789abcdef0","subnet-0123456789abcdef1"]}`,
			"postgres": `{"kind":"inCluster","image":"ecr://a/b:c","memoryMiB":1024,"connections":50}`, "redis": `{"kind":"none"}`, "mongo": `{"kind":"none"}`,
		}, "network.databaseSubnetIds: Forbidden: has no effect without a managed store"},
		{"a storage class with two dots", map[string]string{"podScaling": `{"enabled":true}`, "storageClass": "a..b"}, "storageClass: Invalid value"},
		{"a storage class with a dash at the end of a part", map[string]string{"podScaling": `{"enabled":true}`, "storageClass": "a-.b"}, "storageClass: Invalid value"},
		{"a node port and a load balancer", map[string]string{"frontDoor": `{"nodePort":30080}`, "edge": `{"domain":"example.com","zone":"example.com"}`}, "frontDoor.nodePort: Forbidden"},
		{"volumes without a storage class", map[string]string{"cluster": ownNodes, "mongo": `{"kind":"none"}`, "postgres": `{"kind":"inCluster","image":"ecr://a/b:c","memoryMiB":1024,"connections":50}`, "redis": `{"kind":"none"}`}, "storageClass: Required value"},
		{"a Prometheus without a class of volumes", map[string]string{"cluster": ownNodes, "mongo": `{"kind":"none"}`, "redis": `{"kind":"none"}`, "postgres": `{"kind":"none"}`, "podScaling": `{"enabled":true}`}, "storageClass: Required value: the class of Prometheus' volumes"},
		{"a mirror in no registry", map[string]string{"podScaling": `{"enabled":true}`, "images": `{"mirror":"registry.example.com/mirror"}`}, "images.mirror: Invalid value"},
		{"a mirror with a tag", map[string]string{"podScaling": `{"enabled":true}`, "images": `{"mirror":"ecr://mirror:1"}`}, "images.mirror: Invalid value"},
		{"a VPA that reads more often than metrics are measured", map[string]string{"podScaling": `{"enabled":true,"resizeSeconds":5}`}, "podScaling.resizeSeconds: Invalid value: 5: must be 10 to 3600"},
		{"three pods of Prometheus", map[string]string{"podScaling": `{"enabled":true}`, "prometheus": `{"replicas":3}`}, "prometheus.replicas: Invalid value: 3: must be 1 to 2"},
		{"authorities that nothing verifies", map[string]string{"caFile": "ca.pem", "mongo": `{"kind":"none"}`, "postgres": `{"kind":"inCluster","image":"ecr://a/b:c","memoryMiB":1024,"connections":50}`}, "caFile: Forbidden"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			changes := map[string]string{}
			for key, value := range tc.changes {
				if !strings.Contains(key, ":") {
					key = Project + ":" + key
				}
				changes[key] = value
			}
			_, err := Load("prod", validValuesWith(changes))
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// Load refuses a key that is set with --secret, because the program would write the value in clear
// text into the state. No message has the value.
func TestSecretKeysAreRefused(t *testing.T) {
	keys := []string{regionKey, "aws:profile", "aws:assumeRole", "aws:defaultTags", "aws:ignoreTags", "aws:secretKey", Project + ":none"}
	for i := range reflect.TypeFor[Stack]().NumField() {
		if key := reflect.TypeFor[Stack]().Field(i).Tag.Get("key"); key != "" {
			keys = append(keys, Project+":"+key)
		}
	}
	require.Greater(t, len(keys), 25)
	for _, fullKey := range keys {
		values := validValuesWith(map[string]string{fullKey: `{"issuer":"hidden-value"}`})
		_, err := Load("prod", values, WithSecrets([]string{fullKey}))
		require.ErrorContains(t, err, fullKey+": Forbidden: is set with --secret")
		require.NotContains(t, err.Error(), "hidden-value")
		require.NotContains(t, err.Error(), fullKey+": Required value", "what is not read is not missing")
	}
}

// Load reads the files that the configuration names, and checks their content.
func TestLoadChecksFiles(t *testing.T) {
	const ed25519Key = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`                                           // RFC 8037, appendix A.2
	const ecKey = `{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}` // RFC 7517, appendix A.1
	rsaKey := func(bytes int, use string) string {
		return `{"kty":"RSA","kid":"a","e":"AQAB","use":"` + use + `","n":"` + base64.RawURLEncoding.EncodeToString(slices.Repeat([]byte{0xff}, bytes)) + `"}`
	}
	const certificate = "-----BEGIN CERTIFICATE-----\nMIIBUDCB96ADAgECAgEBMAoGCCqGSM49BAMCMAAwHhcNMjYwMTAxMDAwMDAwWhcN\n-----END CERTIFICATE-----\n"
	project := fstest.MapFS{
		"text.pem":      {Data: []byte("not a certificate")},
		"cut.pem":       {Data: []byte(certificate)},
		"key.pem":       {Data: []byte("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")},
		"large.pem":     {Data: make([]byte, 2<<20)},
		"folder/a":      {Data: []byte("a")},
		"keys.json":     {Data: []byte(`{"keys":[` + ed25519Key + `]}`)},
		"rsa.json":      {Data: []byte(`{"keys":[{"kty":"oct2","kid":"b"},` + rsaKey(256, "sig") + `]}`)},
		"short.json":    {Data: []byte(`{"keys":[` + rsaKey(128, "sig") + `]}`)},
		"no-x.json":     {Data: []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a"}]}`)},
		"no-y.json":     {Data: []byte(strings.Replace(`{"keys":[`+ecKey+`]}`, `"y"`, `"z"`, 1))},
		"off.json":      {Data: []byte(strings.Replace(`{"keys":[`+ecKey+`]}`, `"4Etl`, `"5Etl`, 1))},
		"shared.json":   {Data: []byte(`{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}`)},
		"no-id.json":    {Data: []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519"}]}`)},
		"curve.json":    {Data: []byte(`{"keys":[{"kty":"EC","crv":"P-384","kid":"a"}]}`)},
		"encrypts.json": {Data: []byte(`{"keys":[` + rsaKey(256, "enc") + `]}`)},
		"many.json":     {Data: []byte(`{"keys":[` + strings.Repeat(`{"kty":"RSA","kid":"a"},`, 64) + `{"kty":"RSA","kid":"a"}]}`)},
		"server.pem":    {Data: newCertificatePEM(t, false)},
		"authority.pem": {Data: newCertificatePEM(t, true)},
		"empty.json":    {Data: []byte(`{"keys":[]}`)},
		"private.json":  {Data: []byte(`{"keys":[{"kty":"OKP","d":"x"}]}`)},
		"no-json.json":  {Data: []byte("keys")},
		"folder/b.json": {Data: []byte(`{"keys":[` + ecKey + `]}`)},
	}
	authWithFile := func(file string) string { return `{"issuer":"a","audience":"b","jwksFile":"` + file + `"}` }
	checkLoad(t, []loadCase{
		{"no such file", "caFile", "ca.pem", "caFile: Invalid value: \"ca.pem\": the project has no such file"},
		{"a folder", "caFile", "folder", "must be a file"},
		{"outside the project", "caFile", "../ca.pem", "within the project"},
		{"an absolute path", "caFile", "/etc/ca.pem", "within the project"},
		{"no PEM", "caFile", "text.pem", "holds no certificate"},
		{"half a certificate", "caFile", "cut.pem", "certificate 1 can't be parsed"},
		{"a private key", "caFile", "key.pem", "holds a PRIVATE KEY"},
		{"more than a Secret holds", "caFile", "large.pem", "has 2097152 bytes"},
		{"a file of keys that does not exist", "auth", authWithFile("none.json"), "auth.jwksFile: Invalid value: \"none.json\": the project has no such file"},
		{"a key set without keys", "auth", authWithFile("empty.json"), "with a key"},
		{"no JSON", "auth", authWithFile("no-json.json"), "must be a JSON Web Key Set"},
		{"the issuer's private key", "auth", authWithFile("private.json"), "is a private key"},
		{"a secret that issuer and services share", "auth", authWithFile("shared.json"), `is a private key or a shared secret: it has the member "k"`},
		{"a key without an ID", "auth", authWithFile("no-id.json"), "a complete public key with an ID (kid) for EdDSA, ES256 or RS256 (2048 bits or more)"},
		{"a curve that the services do not support", "auth", authWithFile("curve.json"), "for EdDSA, ES256 or RS256"},
		{"a key that encrypts", "auth", authWithFile("encrypts.json"), "for EdDSA, ES256 or RS256"},
		{"an RSA key that is too short", "auth", authWithFile("short.json"), "for EdDSA, ES256 or RS256 (2048 bits or more)"},
		{"a key without its number", "auth", authWithFile("no-x.json"), "a complete public key"},
		{"half a point of a curve", "auth", authWithFile("no-y.json"), "a complete public key"},
		{"a point that is not on its curve", "auth", authWithFile("off.json"), "a complete public key"},
		{"more keys than the services read", "auth", authWithFile("many.json"), "has 65 keys"},
		{"a certificate of a server", "caFile", "server.pem", "certificate 1, db.test, is not a CA certificate"},
		{"an authority", "caFile", "authority.pem", ""},
		{"keys", "auth", authWithFile("keys.json"), ""},
		{"a usable key among others", "auth", authWithFile("rsa.json"), ""},
		{"keys in a folder", "auth", authWithFile("./folder/b.json"), ""},
	}, WithFiles(project))
	checkLoad(t, []loadCase{{"an authority that has expired", "caFile", "authority.pem", "holds only certificates that have expired"}},
		WithFiles(project), WithToday(certificateEnd.AddDate(0, 0, 1)))
}

// certificateEnd is the end of validity of the certificates of newCertificatePEM.
var certificateEnd = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// newCertificatePEM returns a certificate in PEM, of an authority or of a server.
func newCertificatePEM(t *testing.T, isAuthority bool) []byte {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "db.test"}, NotBefore: certificateEnd.AddDate(-1, 0, 0), NotAfter: certificateEnd, IsCA: isAuthority, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
