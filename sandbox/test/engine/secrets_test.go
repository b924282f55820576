package engine

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mount has the variable with the file of a store's password in a pod, and the ARNs of
// its secret and key at AWS. An empty key is AWS's own, which needs no permission.
type mount struct{ variable, secret, key string }

// databaseRoles are the roles of PostgreSQL by which Deployments log in, if their names
// differ.
var databaseRoles = map[string]string{"progressive-framework-v5": "web", "postgres-exporter": "exporter"}

// exporter is the Deployment of PostgreSQL's exporter, which uses no other store.
const exporter = "postgres-exporter"

// mounts returns the secrets that the pods of staging and prod mount, by the name of the
// SecretProviderClass and of the volume. Only the migration mounts the passwords of
// DocumentDB and of the owner of the PostgreSQL database.
func mounts(t *testing.T, s *stack) map[string]mount {
	t.Helper()
	mountFor := func(variable, store string) mount {
		var output struct{ SecretARN string }
		s.output(t, store, &output)
		require.NotEmpty(t, output.SecretARN)
		key, _ := s.one(t, "kms/key:Key", "-"+store+"-key").Outputs["arn"].(string)
		return mount{variable, output.SecretARN, key}
	}
	// DocumentDB encrypts the password that it manages with AWS's own key.
	var mongo struct{ SecretARN string }
	s.output(t, "mongo", &mongo)
	require.NotEmpty(t, mongo.SecretARN)
	return map[string]mount{
		"postgres": mountFor("DATABASE_PASSWORD_FILE", "postgres"), "redis": mountFor("REDIS_PASSWORD_FILE", "redis"),
		"mongo": {variable: "MONGODB_PASSWORD_FILE", secret: mongo.SecretARN},
	}
}

// secretsAreMounted requires that the pods of each service mount the secret of Redis, and
// that the service's role can read exactly this, and log in to PostgreSQL as one role.
func secretsAreMounted(t *testing.T, s *stack) {
	var namespace string
	s.output(t, "namespace", &namespace)
	all := mounts(t, s)
	for name, m := range all {
		class := s.kubectl(t, "-n", namespace, "get", "secretproviderclass", name, "-o", "jsonpath={.spec.parameters}")
		require.Contains(t, class, `\"objectName\":\"`+m.secret+`\"`)
		require.Contains(t, class, `"usePodIdentity":"true"`)
	}
	roles := map[any]any{}
	for _, association := range s.objects(t, "eks/podIdentityAssociation:PodIdentityAssociation") {
		roles[association.Outputs["serviceAccount"]] = association.Outputs["roleArn"]
	}
	services := strings.Fields(s.kubectl(t, "-n", namespace, "get", "deployments", "-o", "jsonpath={.items[*].metadata.name}"))
	require.NotEmpty(t, services)
	require.Contains(t, services, exporter)
	database, _ := s.one(t, "rds/instance:Instance", "").Outputs["resourceId"].(string)
	require.NotEmpty(t, database)
	for _, name := range services {
		login := cmp.Or(databaseRoles[name], name) + "_iam"
		wanted := map[string]mount{"redis": all["redis"]}
		if name == exporter {
			wanted = nil
		}
		env := requireMounts(t, s, namespace, "deployment/"+name, "{.spec.template.spec}", wanted)
		require.Contains(t, env["DATABASE_URL"], "postgres://"+login+"@")
		require.Equal(t, "iam", env["DATABASE_LOGIN"])
		granted := permissions(t, s, roles[name])
		connect := slices.IndexFunc(granted, func(s statement) bool { return s.Sid == "Connect" })
		require.GreaterOrEqual(t, connect, 0, name)
		require.Equal(t, []string{"rds-db:connect"}, granted[connect].Action)
		require.Len(t, granted[connect].Resource, 1)
		require.True(t, strings.HasSuffix(granted[connect].Resource[0], ":dbuser:"+database+"/"+login), "%s", granted[connect].Resource)
		require.ElementsMatch(t, readers(wanted), slices.Delete(granted, connect, connect+1), "%s: no other permission and no wildcard", name)
	}
	env := requireMounts(t, s, namespace, "cronjob/migrate", "{.spec.jobTemplate.spec.template.spec}", all)
	require.Contains(t, env["DATABASE_URL"], "postgres://platform@")
	require.Equal(t, "iam", env["ROLE_LOGIN"])
	require.ElementsMatch(t, readers(all), permissions(t, s, roles["migrate"]))
}

// readers are the statements that allow the reading of the mounted secrets.
func readers(mounted map[string]mount) []statement {
	if len(mounted) == 0 {
		return nil
	}
	var secrets, keys []string
	for _, name := range slices.Sorted(maps.Keys(mounted)) {
		secrets = append(secrets, mounted[name].secret)
		if key := mounted[name].key; key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(secrets)
	slices.Sort(keys)
	return []statement{
		{"Read", "Allow", []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, secrets},
		{"Decrypt", "Allow", []string{"kms:Decrypt"}, keys},
	}
}

// requireMounts requires that the pods of an object, whose template is at a path, have the
// volumes, and the variables with the paths of their files. It returns their environment.
func requireMounts(t *testing.T, s *stack, namespace, object, template string, wanted map[string]mount) map[string]string {
	t.Helper()
	var pod struct {
		Containers []struct {
			Env          []struct{ Name, Value string }
			VolumeMounts []struct {
				Name, MountPath string
				ReadOnly        bool
			}
		}
		Volumes []struct {
			Name string
			CSI  *struct {
				Driver           string
				ReadOnly         bool
				VolumeAttributes map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", object, "-o", "jsonpath="+template)), &pod))
	env, paths := map[string]string{}, map[string]string{}
	for _, e := range pod.Containers[0].Env {
		env[e.Name] = e.Value
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		if m.ReadOnly {
			paths[m.Name] = m.MountPath
		}
	}
	mounted := 0
	for _, v := range pod.Volumes {
		if v.CSI == nil {
			continue
		}
		mounted++
		require.Contains(t, wanted, v.Name)
		require.Equal(t, "secrets-store.csi.k8s.io", v.CSI.Driver)
		require.True(t, v.CSI.ReadOnly)
		require.Equal(t, map[string]string{"secretProviderClass": v.Name}, v.CSI.VolumeAttributes)
		require.Equal(t, paths[v.Name]+"/password", env[wanted[v.Name].variable])
	}
	require.Equal(t, len(wanted), mounted, "%s mounts every password that it needs", object)
	return env
}

// statement is a statement of a role's inline policy, without its conditions.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
}

// permissions returns the statements of a role's inline policies.
func permissions(t *testing.T, s *stack, roleARN any) []statement {
	t.Helper()
	var role any
	for _, r := range s.objects(t, "iam/role:Role") {
		if r.Outputs["arn"] == roleARN {
			role = r.ID
		}
	}
	require.NotNil(t, role)
	for _, a := range s.objects(t, "iam/rolePolicyAttachment:RolePolicyAttachment") {
		require.NotEqual(t, role, a.Outputs["role"], "the role has no managed policy")
	}
	var statements []statement
	for _, p := range s.objects(t, "iam/rolePolicy:RolePolicy") {
		if p.Outputs["role"] != role {
			continue
		}
		var document struct{ Statement []statement }
		require.NoError(t, json.Unmarshal([]byte(p.Outputs["policy"].(string)), &document))
		for _, s := range document.Statement {
			slices.Sort(s.Resource)
			statements = append(statements, s)
		}
	}
	return statements
}

// siteIsUploaded requires that the static bucket has the site's files and no other.
func siteIsUploaded(t *testing.T, s *stack) {
	var bucket string
	s.output(t, "staticBucket", &bucket)
	var keys []any
	for _, o := range s.objects(t, "s3/bucketObjectv2:BucketObjectv2") {
		require.Equal(t, bucket, o.Outputs["bucket"])
		require.Len(t, o.Outputs["etag"], 32)
		keys = append(keys, o.Outputs["key"])
	}
	require.ElementsMatch(t, []any{"index.html", "app.js", "style.css"}, keys)
}

// certificatesAreVerified configures the authority that signs the stores' certificates.
// Then services verify PostgreSQL's certificate, and only migrate connects to DocumentDB
// and can read its password.
func certificatesAreVerified(t *testing.T, s *stack) {
	var namespace string
	s.output(t, "namespace", &namespace)
	env := func(object string) string {
		return s.kubectl(t, "-n", namespace, "get", object, "-o", "jsonpath={..containers[0].env}")
	}
	require.Contains(t, env("deployment/mca"), "sslmode=verify-full", "by the program's own authorities")
	authorities := func() string {
		return s.kubectl(t, "-n", namespace, "get", "secret", "authorities", "-o", "jsonpath={.data}")
	}
	shipped := authorities()

	s.pulumi(t, "config", "set", "caFile", "infra/main.go")
	out, err := s.run(t, s.dir, "pulumi", "preview")
	require.Error(t, err)
	require.Contains(t, out, `caFile: Invalid value: "infra/main.go": holds no certificate`)

	s.pulumi(t, "config", "set", "caFile", "sandbox/test/engine/testdata/ca.pem")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEqual(t, shipped, authorities())
	require.Contains(t, env("deployment/mca"), "sslrootcert=/etc/platform/authorities/ca.pem")
	require.Contains(t, env("cronjob/migrate"), "tlsCAFile=/etc/platform/authorities/ca.pem")
	require.NotContains(t, env("deployment/mca"), "MONGODB")
	var mongo struct{ SecretARN string }
	s.output(t, "mongo", &mongo)
	for _, association := range s.objects(t, "eks/podIdentityAssociation:PodIdentityAssociation") {
		statements, err := json.Marshal(permissions(t, s, association.Outputs["roleArn"]))
		require.NoError(t, err)
		account := association.Outputs["serviceAccount"]
		require.Equal(t, account == "migrate", strings.Contains(string(statements), mongo.SecretARN), "%s", account)
	}
	s.pulumi(t, "config", "rm", "caFile")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	requireNoChanges(t, s)
}
