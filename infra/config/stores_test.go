package config

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mongoURLConfig returns a value of the key mongo with kind url.
func mongoURLConfig(url, cidrs string) string {
	return `{"kind":"url","url":"` + url + `","passwordSecretArn":"arn:aws:secretsmanager:us-east-1:123456789012:secret:m-AbCdEf","cidrs":` + cidrs + `}`
}

func TestInvalidStoresAreRefused(t *testing.T) {
	const prefix = "progressive-framework:"
	for _, tc := range []struct {
		reason  string
		changes map[string]string
		want    string
	}{
		{"a managed store without a size", map[string]string{prefix + "postgres": ""}, "postgres.instanceClass: Required value"},
		{"a class that RDS does not have", map[string]string{prefix + "postgres": `{"instanceClass":"db.huge"}`}, `"db.huge"`},
		{"more connections than memory", map[string]string{prefix + "postgres": `{"instanceClass":"db.t4g.medium","connections":5000}`}, "let fewer queries run at once, or use more memory"},
		{"no such kind", map[string]string{prefix + "redis": `{"kind":"sidecar"}`}, `redis.kind: Unsupported value: "sidecar"`},
		{"an in-cluster store without an image", map[string]string{prefix + "redis": `{"kind":"inCluster"}`}, "redis.image: Required value"},
		{"an image that may change", map[string]string{prefix + "redis": `{"kind":"inCluster","image":"redis:7"}`}, "ends in @sha256:DIGEST"},
		{"a tag of the account's own registry", map[string]string{prefix + "redis": `{"kind":"inCluster","image":"ecr://debian/redis:7"}`}, ""},
		{"a server without memory", map[string]string{prefix + "postgres": `{"kind":"inCluster","image":"ecr://debian/postgres:15"}`}, "postgres.memoryMiB: Required value"},
		{"a MongoDB without a URL", map[string]string{prefix + "mongo": `{"kind":"url"}`}, `mongo.url: Required value`},
		{"a MongoDB without a password", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/"}`}, `mongo.passwordSecretArn: Required value`},
		{"all addresses as the block of a MongoDB", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/","cidrs":["0.0.0.0/0"]}`}, `and not all addresses`},
		{"a password in a URL", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u:hunter2@h/"}`}, `"mongodb://u:xxxxx@h/": must have no password`},
		{"a MongoDB whose certificate is not verified", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/?tlsInsecure=true"}`}, `has the option tlsInsecure`},
		{"a MongoDB without TLS", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/?tls=false"}`}, `TLS is always on and verified`},
		{"a MongoDB without a user", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://h/"}`}, `must name a user`},
		{"two hosts of a MongoDB", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h:1,i:2/"}`}, `with one host`},
		{"a database of a MongoDB", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/db"}`}, `must name no database`},
		{"a web page as a MongoDB", map[string]string{prefix + "mongo": `{"kind":"url","url":"https://u@h/"}`}, `must be mongodb+srv://USER@HOST/`},
		{"a secret of another account", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb://u@h/","passwordSecretArn":"arn:aws:secretsmanager:us-east-1:210987654321:secret:m-AbCdEf"}`}, `mongo.passwordSecretArn: Invalid value`},
		{"a complete MongoDB by its URL", map[string]string{prefix + "mongo": `{"kind":"url","url":"mongodb+srv://u@h.example/","passwordSecretArn":"arn:aws:secretsmanager:us-east-1:123456789012:secret:m-AbCdEf","cidrs":["10.60.0.0/24"]}`}, ""},
		{"two blocks that are all addresses", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/", `["0.0.0.0/1","128.0.0.0/1"]`)}, `mongo.cidrs[1]: Invalid value: "128.0.0.0/1": opens much of the internet`},
		{"an IPv6 block, which no pod reaches", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/", `["2001:db8::/32"]`)}, `must be IPv4`},
		{"the metadata of the node as a MongoDB", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/", `["169.254.169.254/32"]`)}, `is reserved: no server`},
		{"bits beyond the prefix of a block", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/", `["10.60.0.5/24"]`)}, `no bits set beyond its prefix`},
		{"an address outside the blocks", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@10.60.1.5:27017/", `["10.60.0.0/24"]`)}, `mongo.cidrs: Invalid value: "10.60.0.0/24": must have the address 10.60.1.5`},
		{"an address within a block", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@10.60.0.5:27017/", `["10.60.0.0/24"]`)}, ``},
		{"localhost as a MongoDB", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@localhost/", `["10.60.0.0/24"]`)}, `localhost is the pod itself`},
		{"an IPv6 address as a MongoDB", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@[2001:db8::1]/", `["10.60.0.0/24"]`)}, `IPv4 addresses only`},
		{"DNS records of an address", map[string]string{prefix + "mongo": mongoURLConfig("mongodb+srv://u@10.60.0.5/", `["10.60.0.0/24"]`)}, `must have a whole domain name`},
		{"DNS records of a name without a domain", map[string]string{prefix + "mongo": mongoURLConfig("mongodb+srv://u@cluster/", `["10.60.0.0/24"]`)}, `must have a whole domain name`},
		{"a direct connection to several hosts", map[string]string{prefix + "mongo": mongoURLConfig("mongodb+srv://u@h.example/?directConnection=true", `["10.60.0.0/24"]`)}, `directConnection=true`},
		{"an option with a value that the driver refuses", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/?retryWrites=maybe", `["10.60.0.0/24"]`)}, `its values are true, false`},
		{"a read preference that MongoDB does not have", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/?readPreference=fastest", `["10.60.0.0/24"]`)}, `its values are primary`},
		{"an option twice", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/?w=1&w=2", `["10.60.0.0/24"]`)}, `has the option w twice`},
		{"an option without a value", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/?replicaSet=", `["10.60.0.0/24"]`)}, `has the option replicaSet without a value`},
		{"all options", map[string]string{prefix + "mongo": mongoURLConfig("mongodb://u@h:27017/?appName=a&authSource=admin&directConnection=true&readPreference=primary&replicaSet=r&retryWrites=false&w=majority", `["10.60.0.0/24"]`)}, ``},
		{"backups in a region to which RDS copies none", map[string]string{prefix + "postgres": `{"instanceClass":"db.m7g.large","backupRegion":"us-east-1"}`}, "postgres.backupRegion: Invalid value: \"us-east-1\": RDS is not known to copy backups from us-east-1 to us-east-1"},
		{"backups in another region", map[string]string{prefix + "postgres": `{"instanceClass":"db.m7g.large","backupRegion":"us-west-2"}`}, ""},
		{"documents in the stack's own region", map[string]string{prefix + "mongo": `{"kind":"managed","instanceClass":"db.r6g.large","backupRegion":"us-east-1"}`}, "mongo.backupRegion: Invalid value: \"us-east-1\": is the stack's own region"},
		{"documents in another partition", map[string]string{prefix + "mongo": `{"kind":"managed","instanceClass":"db.r6g.large","backupRegion":"cn-north-1"}`}, "mongo.backupRegion: Invalid value: \"cn-north-1\": is of partition aws-cn"},
		{"documents in another region", map[string]string{prefix + "mongo": `{"kind":"managed","instanceClass":"db.r6g.large","backupRegion":"us-west-2"}`}, ""},
		{"copies of a MongoDB that the stack does not create", map[string]string{prefix + "mongo": strings.Replace(mongoURLConfig("mongodb://u@h:27017/", `["10.60.0.0/24"]`), "{", `{"backupRegion":"us-west-2",`, 1)}, "mongo.backupRegion: Forbidden"},
		{"no PostgreSQL, without which the services do not start", map[string]string{prefix + "postgres": `{"kind":"none"}`}, `postgres.kind: Unsupported value: "none": supported values: "managed", "inCluster"`},
		{"no Redis, without which the services cache in their own memory", map[string]string{prefix + "redis": `{"kind":"none"}`}, ""},
		{"a managed store on nodes that the stack does not manage", map[string]string{prefix + "cluster": `{"nodes":"own"}`}, "redis.kind: Invalid value"},
		{"neither true nor false", map[string]string{prefix + "deletionProtection": "maybe"}, "must be true or false"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			_, err := Load("prod", validValuesWith(tc.changes))
			if tc.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestStoresAreProtectedByDefault(t *testing.T) {
	s, err := Load("prod", validValues())
	require.NoError(t, err)
	require.True(t, s.DeletionProtection)
	s, err = Load("prod", validValuesWith(map[string]string{"progressive-framework:deletionProtection": "false"}))
	require.NoError(t, err)
	require.False(t, s.DeletionProtection)
}

// A misspelled kind is one error. Load does not check the store's other keys against that kind.
func TestMisspelledKindIsOneError(t *testing.T) {
	_, err := Load("prod", validValuesWith(map[string]string{Project + ":postgres": `{"kind":"Managed","instanceClass":"db.r7g.xlarge"}`}))
	require.ErrorContains(t, err, `1 error(s)`)
	require.ErrorContains(t, err, `postgres.kind: Unsupported value: "Managed"`)
}

// RDS and DocumentDB share one namespace. If both stores had the same name, AWS would refuse the
// second subnet group with DBSubnetGroupAlreadyExists.
func TestRDSAndDocumentDBHaveDifferentNames(t *testing.T) {
	s, err := Load("prod", validValuesWith(map[string]string{"progressive-framework:environment": "abcdefghijkl"}))
	require.NoError(t, err)
	require.Equal(t, "progressive-framework-abcdefghijkl", s.Database().Identifier)
	require.Equal(t, "progressive-framework-abcdefghijkl-mongo", s.DocumentDB().Identifier)
}

// All connections that the pools can open may sort at the same time, so work_mem is divided by their
// number. If it were divided by the number of cores, work_mem would be 1 GiB on db.r7g.xlarge. That
// is four times the design document's number.
func TestWorkMemIsDividedByTheConnectionsOfThePools(t *testing.T) {
	s, err := Load("prod", validValuesWith(map[string]string{Project + ":postgres": `{"instanceClass":"db.r7g.xlarge"}`, Project + ":podScaling": `{"enabled":true}`}))
	require.NoError(t, err)
	database := s.Database()
	pool, err := s.Pool()
	require.NoError(t, err)
	pods := 0
	for _, p := range s.Profiles() {
		pods += p.MaxReplicas() + 1 // a rollout adds one
	}
	require.Equal(t, pods*pool, database.ActiveQueries)
	_, model, err := database.Complete()
	require.NoError(t, err)
	for _, p := range model.RDS() {
		if p.Name() == "work_mem" {
			kilobytes, err := strconv.Atoi(p.Value())
			require.NoError(t, err)
			require.LessOrEqual(t, kilobytes, 256<<10)
			require.LessOrEqual(t, kilobytes*database.ActiveQueries, 8<<20, "in kB: 8 GiB, which is a quarter of the 32 GiB of db.r7g.xlarge")
			require.GreaterOrEqual(t, kilobytes, 64<<10)
		}
	}
}
