package engine

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mount is where a store's password lies in a pod, and its secret at AWS.
type mount struct{ variable, secret, key string }

// mounts are what staging and prod can mount, by the names of class and volume.
func mounts(t *testing.T, s *stack) map[string]mount {
	t.Helper()
	of := func(variable, store string) mount {
		var output struct{ SecretARN string }
		s.output(t, store, &output)
		require.NotEmpty(t, output.SecretARN)
		key, _ := s.one(t, "kms/key:Key", "-"+store+"-key").Outputs["arn"].(string)
		return mount{variable, output.SecretARN, key}
	}
	return map[string]mount{"postgres": of("DATABASE_PASSWORD_FILE", "postgres"), "redis": of("REDIS_PASSWORD_FILE", "redis")}
}

// secretsAreMounted compares what a service's role allows with what its pods
// mount: in Kubernetes, which has the class and the volume, and at AWS.
func secretsAreMounted(t *testing.T, s *stack) {
	var namespace string
	s.output(t, "namespace", &namespace)
	wanted := mounts(t, s)
	var secrets, keys []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		m := wanted[name]
		secrets, keys = append(secrets, m.secret), append(keys, m.key)
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
	for _, name := range services {
		mountsAll(t, s, namespace, name, wanted)
		require.ElementsMatch(t, []statement{
			{"Read", "Allow", []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, secrets},
			{"Decrypt", "Allow", []string{"kms:Decrypt"}, keys},
		}, rightsOf(t, s, roles[name]), "%s: no more and no wildcard", name)
	}
}

// mountsAll looks at the pods of a service: the volumes, and the variables that
// lead to their files.
func mountsAll(t *testing.T, s *stack, namespace, service string, wanted map[string]mount) {
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
	require.NoError(t, json.Unmarshal([]byte(s.kubectl(t, "-n", namespace, "get", "deployment", service, "-o", "jsonpath={.spec.template.spec}")), &pod))
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
	require.Equal(t, len(wanted), mounted, "every store's password is mounted")
}

// statement is one of a role's own policy, without its conditions.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
}

// rightsOf are the statements of the only policy of a role.
func rightsOf(t *testing.T, s *stack, roleARN any) []statement {
	t.Helper()
	var role any
	for _, r := range s.objects(t, "iam/role:Role") {
		if r.Outputs["arn"] == roleARN {
			role = r.ID
		}
	}
	require.NotNil(t, role)
	for _, a := range s.objects(t, "iam/rolePolicyAttachment:RolePolicyAttachment") {
		require.NotEqual(t, role, a.Outputs["role"], "no policy of AWS's")
	}
	var rights []statement
	for _, p := range s.objects(t, "iam/rolePolicy:RolePolicy") {
		if p.Outputs["role"] != role {
			continue
		}
		var document struct{ Statement []statement }
		require.NoError(t, json.Unmarshal([]byte(p.Outputs["policy"].(string)), &document))
		rights = append(rights, document.Statement...)
	}
	return rights
}

// siteIsUploaded lists the static bucket.
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

// authorityIsAsked gives the stack who signs the stores' certificates: then
// PostgreSQL's is verified, and migrate is led to DocumentDB, whose password
// nobody else may read.
func authorityIsAsked(t *testing.T, s *stack) {
	var namespace string
	s.output(t, "namespace", &namespace)
	told := func(of string) string {
		return s.kubectl(t, "-n", namespace, "get", of, "-o", "jsonpath={..containers[0].env}")
	}
	require.Contains(t, told("deployment/mca"), "sslmode=require")
	require.NotContains(t, told("cronjob/migrate"), "MONGODB_URI")

	s.pulumi(t, "config", "set", "caFile", "infra/main.go")
	out, err := s.run(t, s.dir, "pulumi", "preview")
	require.Error(t, err)
	require.Contains(t, out, `caFile: Invalid value: "infra/main.go": holds no certificate`)

	s.pulumi(t, "config", "set", "caFile", "sandbox/test/engine/testdata/ca.pem")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	require.Contains(t, told("deployment/mca"), "sslmode=verify-full")
	require.Contains(t, told("deployment/mca"), "sslrootcert=/etc/platform/authorities/ca.pem")
	require.Contains(t, told("cronjob/migrate"), "tlsCAFile=/etc/platform/authorities/ca.pem")
	require.NotContains(t, told("deployment/mca"), "MONGODB")
	var mongo struct{ SecretARN string }
	s.output(t, "mongo", &mongo)
	for _, association := range s.objects(t, "eks/podIdentityAssociation:PodIdentityAssociation") {
		rights, err := json.Marshal(rightsOf(t, s, association.Outputs["roleArn"]))
		require.NoError(t, err)
		who := association.Outputs["serviceAccount"]
		require.Equal(t, who == "migrate", strings.Contains(string(rights), mongo.SecretARN), "%s", who)
	}
	s.pulumi(t, "config", "rm", "caFile")
	s.pulumi(t, "up", "--yes", "--skip-preview")
	requireNoChanges(t, s)
}
