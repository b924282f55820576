package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/agents/migrate/pgroles"
	"github.com/progressive-framework/platform/components/postgres"
)

// container is the first container of a pod: its environment variables, and the names of the
// secrets that its pod mounts.
type container struct {
	env     map[string]string
	secrets []string
}

// firstContainers returns the first container of each Deployment and Job, by the label app.
func firstContainers(t *testing.T, resources []registeredResource) map[string]container {
	t.Helper()
	containers := map[string]container{}
	for _, r := range resources {
		if r.Type != "kubernetes:apps/v1:Deployment" && r.Type != "kubernetes:batch/v1:Job" {
			continue
		}
		text, err := json.Marshal(r.Properties)
		require.NoError(t, err)
		var object struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Env []struct{ Name, Value string }
						}
						Volumes []struct {
							CSI       *struct{ VolumeAttributes map[string]string }
							Secret    *struct{ SecretName string }
							Projected *struct {
								Sources []struct{ Secret *struct{ Name string } }
							}
						}
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &object))
		c := container{env: map[string]string{}}
		for _, e := range object.Spec.Template.Spec.Containers[0].Env {
			c.env[e.Name] = e.Value
		}
		for _, v := range object.Spec.Template.Spec.Volumes {
			if v.CSI != nil {
				c.secrets = append(c.secrets, v.CSI.VolumeAttributes["secretProviderClass"])
			}
			if v.Secret != nil {
				c.secrets = append(c.secrets, v.Secret.SecretName)
			}
			if v.Projected != nil {
				for _, s := range v.Projected.Sources {
					if s.Secret != nil {
						c.secrets = append(c.secrets, s.Secret.Name)
					}
				}
			}
		}
		containers[object.Metadata.Labels["app"]] = c
	}
	return containers
}

// databaseClients returns the containers that connect to PostgreSQL, by "USER APP".
func databaseClients(containers map[string]container) map[string]container {
	clients := map[string]container{}
	for app, c := range containers {
		if user, _, ok := strings.Cut(strings.TrimPrefix(c.env["DATABASE_URL"], "postgres://"), "@"); ok {
			clients[user+" "+app] = c
		}
	}
	return clients
}

// databaseUsers returns the database users of the clients, sorted. A key of clients begins with the
// user and a space.
func databaseUsers(clients map[string]container) []string {
	var users []string
	for key := range clients {
		user, _, _ := strings.Cut(key, " ")
		users = append(users, user)
	}
	slices.Sort(users)
	return users
}

// Only the migration logs in as the owner. Every other program has its own role, and mounts only
// the password of this role.
func TestOnlyTheMigrationLogsInAsOwner(t *testing.T) {
	for _, tc := range []struct {
		stack string
		users []string
		owner string // the secret with the owner's password
	}{
		{"sandbox", []string{"exporter_a", "mca_a", "npa_a", postgres.Owner, "web_a", "wpa_a"}, "postgres-auth"},
		{"prod", []string{"exporter_iam", "mca_iam", "npa_iam", postgres.Owner, "web_iam", "wpa_iam"}, "postgres"},
	} {
		t.Run(tc.stack, func(t *testing.T) {
			clients := databaseClients(firstContainers(t, deployStackWith(t, tc.stack, configWithoutFiles)))
			require.Equal(t, tc.users, databaseUsers(clients))
			for key, c := range clients {
				user, app, _ := strings.Cut(key, " ")
				if user == postgres.Owner {
					require.Equal(t, "migrate", app)
					require.Contains(t, c.secrets, tc.owner)
					continue
				}
				require.NotContains(t, c.secrets, tc.owner, app)
				role, _, _ := strings.Cut(user, "_")
				for _, secret := range c.secrets {
					if strings.HasPrefix(secret, "postgres") {
						require.Equal(t, "postgres-"+role+"-0", secret)
					}
				}
			}
		})
	}
}

// The variable ROLE_CONNECTIONS of the migration has the roles that the migration's package pgroles
// lists.
func TestMigrationCreatesTheRolesThatLogIn(t *testing.T) {
	for _, stack := range []string{"sandbox", "prod"} {
		var names []string
		env := firstContainers(t, deployStackWith(t, stack, configWithoutFiles))["migrate"].env
		for pair := range strings.SplitSeq(env["ROLE_CONNECTIONS"], ",") {
			name, _, _ := strings.Cut(pair, "=")
			names = append(names, name)
		}
		want := slices.Sorted(slices.Values(pgroles.GroupRoles()))
		require.Equal(t, want, names)
		require.Equal(t, map[string]string{"sandbox": "password", "prod": "iam"}[stack], env["ROLE_LOGIN"])
	}
	require.Equal(t, pgroles.Exporter, postgres.Exporter)
	for generation := range 4 {
		require.Equal(t, pgroles.PasswordLogin("web", generation), postgres.PasswordLogin("web", generation))
	}
}

// During a rotation the migration mounts the passwords of both generations. A service mounts a new
// Secret, so that running pods keep the old one.
func TestRotationMountsNewSecrets(t *testing.T) {
	values := readStackValues(t, "sandbox", nil)
	var postgresConfig map[string]any
	require.NoError(t, json.Unmarshal([]byte(values["progressive-framework:postgres"]), &postgresConfig))
	postgresConfig["passwordGeneration"] = 2
	text, err := json.Marshal(postgresConfig)
	require.NoError(t, err)
	changes := maps.Clone(configWithoutFiles)
	changes["progressive-framework:postgres"] = string(text)
	containers := firstContainers(t, deployStackWith(t, "sandbox", changes))
	require.Subset(t, containers["migrate"].secrets, []string{"postgres-roles-1", "postgres-roles-2"})
	require.Equal(t, "2", containers["migrate"].env["ROLE_GENERATION"])
	clients := databaseClients(containers)
	require.Equal(t, []string{"exporter_a", "mca_a", "npa_a", postgres.Owner, "web_a", "wpa_a"}, databaseUsers(clients))
	for key, c := range clients {
		if user, _, _ := strings.Cut(key, " "); user != postgres.Owner {
			require.Contains(t, c.secrets, fmt.Sprintf("postgres-%s-2", strings.TrimSuffix(user, "_a")))
		}
	}
}

// On RDS, the IAM role of each program allows a login as the program's own database role only.
func TestPodsMayConnectAsTheirRoleOnly(t *testing.T) {
	allowed := map[string]string{}
	for _, r := range deployStack(t, "prod") {
		policy, _ := r.Properties["policy"].(string)
		if r.Type != "aws:iam/rolePolicy:RolePolicy" || !strings.Contains(policy, "rds-db:connect") {
			continue
		}
		var document struct {
			Statement []struct{ Action, Resource []string }
		}
		require.NoError(t, json.Unmarshal([]byte(policy), &document))
		for _, s := range document.Statement {
			if slices.Contains(s.Action, "rds-db:connect") {
				require.Len(t, s.Resource, 1)
				require.Regexp(t, `^arn:[^:]+:rds-db:[^:]+:[^:]+:dbuser:[^/*]+/[a-z]+_iam$`, s.Resource[0])
				allowed[s.Resource[0][strings.LastIndex(s.Resource[0], "/")+1:]] = r.URN
			}
		}
	}
	require.Equal(t, []string{"exporter_iam", "mca_iam", "npa_iam", "web_iam", "wpa_iam"}, slices.Sorted(maps.Keys(allowed)))
	for user, urn := range allowed {
		role, _, _ := strings.Cut(user, "_")
		require.Contains(t, urn, role)
	}
}
