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

// passwordMount is a store's password that a pod mounts as a file.
type passwordMount struct {
	variable  string // the variable with the path of the file
	secretARN string
	keyARN    string // of the KMS key that encrypts the secret; empty for AWS's own key, which needs no permission
}

// databaseRoles are the PostgreSQL roles of Deployments, by the name of the Deployment. Other
// Deployments have the name of their role.
var databaseRoles = map[string]string{"progressive-framework-v5": "web", "postgres-exporter": "exporter"}

// exporterDeployment is the Deployment of PostgreSQL's exporter, which uses no other store.
const exporterDeployment = "postgres-exporter"

// findPasswordMounts returns the secrets that pods of staging and prod mount. The keys are the
// names of the SecretProviderClasses and volumes. The passwords of DocumentDB and of the owner
// of the PostgreSQL database are mounted only by the migration.
func findPasswordMounts(t *testing.T, s *stack) map[string]passwordMount {
	t.Helper()
	newMount := func(variable, store string) passwordMount {
		var output struct{ SecretARN string }
		s.readOutput(t, store, &output)
		require.NotEmpty(t, output.SecretARN)
		keyARN, _ := s.findObject(t, "kms/key:Key", "-"+store+"-key").Outputs["arn"].(string)
		return passwordMount{variable, output.SecretARN, keyARN}
	}
	// DocumentDB encrypts the password that it manages with AWS's own key.
	var mongo struct{ SecretARN string }
	s.readOutput(t, "mongo", &mongo)
	require.NotEmpty(t, mongo.SecretARN)
	return map[string]passwordMount{
		"postgres": newMount("DATABASE_PASSWORD_FILE", "postgres"), "redis": newMount("REDIS_PASSWORD_FILE", "redis"),
		"mongo": {variable: "MONGODB_PASSWORD_FILE", secretARN: mongo.SecretARN},
	}
}

// checkSecretsAreMounted checks the secrets and permissions of each service. Its pods mount
// only the secret of Redis. Its IAM role can read only this secret, and can log in to
// PostgreSQL as only one role.
func checkSecretsAreMounted(t *testing.T, s *stack) {
	var namespace string
	s.readOutput(t, "namespace", &namespace)
	mounts := findPasswordMounts(t, s)
	for name, m := range mounts {
		parameters := s.kubectl(t, "-n", namespace, "get", "secretproviderclass", name, "-o", "jsonpath={.spec.parameters}")
		require.Contains(t, parameters, `\"objectName\":\"`+m.secretARN+`\"`)
		require.Contains(t, parameters, `"usePodIdentity":"true"`)
	}
	roles := map[any]any{}
	for _, association := range s.listObjects(t, "eks/podIdentityAssociation:PodIdentityAssociation") {
		roles[association.Outputs["serviceAccount"]] = association.Outputs["roleArn"]
	}
	services := strings.Fields(s.kubectl(t, "-n", namespace, "get", "deployments", "-o", "jsonpath={.items[*].metadata.name}"))
	require.NotEmpty(t, services)
	require.Contains(t, services, exporterDeployment)
	database, _ := s.findObject(t, "rds/instance:Instance", "").Outputs["resourceId"].(string)
	require.NotEmpty(t, database)
	for _, name := range services {
		login := cmp.Or(databaseRoles[name], name) + "_iam"
		wanted := map[string]passwordMount{"redis": mounts["redis"]}
		if name == exporterDeployment {
			wanted = nil
		}
		env := requireMounts(t, s, namespace, "deployment/"+name, "{.spec.template.spec}", wanted)
		require.Contains(t, env["DATABASE_URL"], "postgres://"+login+"@")
		require.Equal(t, "iam", env["DATABASE_LOGIN"])
		statements := readPermissions(t, s, roles[name])
		index := slices.IndexFunc(statements, func(candidate statement) bool { return candidate.Sid == "Connect" })
		require.GreaterOrEqual(t, index, 0, name)
		connect := statements[index]
		require.Equal(t, []string{"rds-db:connect"}, connect.Action)
		require.Len(t, connect.Resource, 1)
		require.True(t, strings.HasSuffix(connect.Resource[0], ":dbuser:"+database+"/"+login), "%s", connect.Resource)
		require.ElementsMatch(t, wantedStatements(wanted), slices.Delete(statements, index, index+1), "%s: no other permission and no wildcard", name)
	}
	env := requireMounts(t, s, namespace, "cronjob/migrate", "{.spec.jobTemplate.spec.template.spec}", mounts)
	require.Contains(t, env["DATABASE_URL"], "postgres://platform@")
	require.Equal(t, "iam", env["ROLE_LOGIN"])
	require.ElementsMatch(t, wantedStatements(mounts), readPermissions(t, s, roles["migrate"]))
}

// wantedStatements returns the IAM statements that allow a role to read the mounted secrets.
func wantedStatements(mounted map[string]passwordMount) []statement {
	if len(mounted) == 0 {
		return nil
	}
	var secrets, keys []string
	for _, name := range slices.Sorted(maps.Keys(mounted)) {
		secrets = append(secrets, mounted[name].secretARN)
		if key := mounted[name].keyARN; key != "" {
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

// requireMounts requires that the pods of an object mount the wanted secrets. For each secret,
// an environment variable must have the path of the secret's file. template is the JSON path of
// the pods' spec in the object. requireMounts returns the environment of the pods' first
// container.
func requireMounts(t *testing.T, s *stack, namespace, object, template string, wanted map[string]passwordMount) map[string]string {
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
	for _, volume := range pod.Volumes {
		if volume.CSI == nil {
			continue
		}
		mounted++
		require.Contains(t, wanted, volume.Name)
		require.Equal(t, "secrets-store.csi.k8s.io", volume.CSI.Driver)
		require.True(t, volume.CSI.ReadOnly)
		require.Equal(t, map[string]string{"secretProviderClass": volume.Name}, volume.CSI.VolumeAttributes)
		require.Equal(t, paths[volume.Name]+"/password", env[wanted[volume.Name].variable])
	}
	require.Equal(t, len(wanted), mounted, "%s mounts every password that it needs", object)
	return env
}

// statement is a statement of a role's inline policy, without its conditions.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
}

// readPermissions returns the statements of a role's inline policies.
func readPermissions(t *testing.T, s *stack, roleARN any) []statement {
	t.Helper()
	var role any
	for _, r := range s.listObjects(t, "iam/role:Role") {
		if r.Outputs["arn"] == roleARN {
			role = r.ID
		}
	}
	require.NotNil(t, role)
	for _, a := range s.listObjects(t, "iam/rolePolicyAttachment:RolePolicyAttachment") {
		require.NotEqual(t, role, a.Outputs["role"], "the role has no managed policy")
	}
	var statements []statement
	for _, p := range s.listObjects(t, "iam/rolePolicy:RolePolicy") {
		if p.Outputs["role"] != role {
			continue
		}
		var document struct{ Statement []statement }
		require.NoError(t, json.Unmarshal([]byte(p.Outputs["policy"].(string)), &document))
		for _, entry := range document.Statement {
			slices.Sort(entry.Resource)
			statements = append(statements, entry)
		}
	}
	return statements
}

// checkSiteIsUploaded requires that the static bucket has the site's files and no other.
func checkSiteIsUploaded(t *testing.T, s *stack) {
	var bucket string
	s.readOutput(t, "staticBucket", &bucket)
	var keys []any
	for _, o := range s.listObjects(t, "s3/bucketObjectv2:BucketObjectv2") {
		require.Equal(t, bucket, o.Outputs["bucket"])
		require.Len(t, o.Outputs["etag"], 32)
		keys = append(keys, o.Outputs["key"])
	}
	require.ElementsMatch(t, []any{"index.html", "app.js", "style.css"}, keys)
}

// checkCertificatesAreVerified configures the authority that signs the stores' certificates.
// Then services must verify PostgreSQL's certificate with it. Only migrate may connect to
// DocumentDB and read its password.
func checkCertificatesAreVerified(t *testing.T, s *stack) {
	var namespace string
	s.readOutput(t, "namespace", &namespace)
	readEnv := func(object string) string {
		return s.kubectl(t, "-n", namespace, "get", object, "-o", "jsonpath={..containers[0].env}")
	}
	require.Contains(t, readEnv("deployment/mca"), "sslmode=verify-full", "without caFile, services use the authorities that are compiled into their executables")
	readAuthorities := func() string {
		return s.kubectl(t, "-n", namespace, "get", "secret", "authorities", "-o", "jsonpath={.data}")
	}
	authoritiesBefore := readAuthorities()

	s.pulumi(t, "config", "set", "caFile", "infra/main.go")
	out, err := s.run(t, s.dir, "pulumi", "preview")
	require.Error(t, err)
	require.Contains(t, out, `caFile: Invalid value: "infra/main.go": holds no certificate`)

	s.pulumi(t, "config", "set", "caFile", "sandbox/test/engine/testdata/ca.pem")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.NotEqual(t, authoritiesBefore, readAuthorities())
	require.Contains(t, readEnv("deployment/mca"), "sslrootcert=/etc/platform/authorities/ca.pem")
	require.Contains(t, readEnv("cronjob/migrate"), "tlsCAFile=/etc/platform/authorities/ca.pem")
	require.NotContains(t, readEnv("deployment/mca"), "MONGODB")
	var mongo struct{ SecretARN string }
	s.readOutput(t, "mongo", &mongo)
	for _, association := range s.listObjects(t, "eks/podIdentityAssociation:PodIdentityAssociation") {
		statements, err := json.Marshal(readPermissions(t, s, association.Outputs["roleArn"]))
		require.NoError(t, err)
		account := association.Outputs["serviceAccount"]
		require.Equal(t, account == "migrate", strings.Contains(string(statements), mongo.SecretARN), "%s", account)
	}
	s.pulumi(t, "config", "rm", "caFile")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	requireNoChanges(t, s)
}
