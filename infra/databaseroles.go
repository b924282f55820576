package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/iam"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/secret"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// databaseLogins configures how the platform's programs log in to PostgreSQL. Each program has its
// own role. It logs in to RDS with an IAM token, and to a server in the cluster with a password.
// Only the migration logs in as the owner of the database, and creates the roles.
type databaseLogins struct {
	stack *config.Stack
	base  *base
	store *store
	// sslMode is the value of sslmode in the URL, with the parameters after it. pool is the largest
	// number of connections of each pod.
	sslMode string
	pool    int
	// rolesSecrets has, by generation of the passwords, the name of a Secret with the passwords of
	// all roles. The migration mounts these Secrets. currentSecrets has, by role, the name of the
	// Secret with the role's current password. If roles log in with IAM tokens, both are empty.
	rolesSecrets   map[int]pulumi.StringInput
	currentSecrets map[string]pulumi.StringInput
}

// exporterConnections is the number of connections of the exporter: one, and one more while its pod
// is replaced. They are part of the reserve that package scaling keeps.
const exporterConnections = 2

// connectionsByRole returns, for each database role, the largest number of connections that all its
// pods together may open.
func connectionsByRole(stack *config.Stack, pool int) map[string]int {
	connections := map[string]int{postgres.Exporter: exporterConnections}
	for _, p := range stack.Profiles() {
		connections[p.ShortName] = pool * (p.MaxReplicas() + 1) // a rollout adds one pod
	}
	return connections
}

// newDatabaseLogins returns the logins of the programs. It creates the roles' passwords, unless the
// database accepts IAM tokens.
func newDatabaseLogins(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, db *store, sslMode string) (*databaseLogins, error) {
	pool, err := stack.Pool()
	if err != nil {
		return nil, fmt.Errorf("postgres.connections: %w", err)
	}
	logins := &databaseLogins{
		stack: stack, base: base, store: db, sslMode: sslMode, pool: pool,
		rolesSecrets: map[int]pulumi.StringInput{}, currentSecrets: map[string]pulumi.StringInput{},
	}
	if logins.usesIAM() {
		return logins, nil
	}
	passwordsByGeneration := map[int]pulumi.StringMap{}
	newestGeneration := stack.Postgres.PasswordGeneration
	for _, role := range slices.Sorted(maps.Keys(connectionsByRole(stack, pool))) {
		roleSecret, err := secret.NewSecret(ctx, stack.Name()+"-postgres-"+role, &secret.Args{
			KeyARN:      base.key.ARN,
			Description: "Password of the role " + role + " of PostgreSQL in " + stack.Name(),
			Generation:  newestGeneration,
			Unprotected: stack.DiscardData,
		}, base.inRegion)
		if err != nil {
			return nil, err
		}
		for age, password := range roleSecret.Accepted { // the newest password is the first
			generation := newestGeneration - age
			if passwordsByGeneration[generation] == nil {
				passwordsByGeneration[generation] = pulumi.StringMap{}
			}
			passwordsByGeneration[generation][role] = password
		}
		name := fmt.Sprintf("postgres-%s-%d", role, newestGeneration)
		if logins.currentSecrets[role], err = newPasswordSecret(ctx, stack, eks, name, pulumi.StringMap{secretfiles.FileName: roleSecret.Value}); err != nil {
			return nil, err
		}
	}
	for _, generation := range slices.Sorted(maps.Keys(passwordsByGeneration)) {
		name := fmt.Sprintf("postgres-roles-%d", generation)
		if logins.rolesSecrets[generation], err = newPasswordSecret(ctx, stack, eks, name, passwordsByGeneration[generation]); err != nil {
			return nil, err
		}
	}
	return logins, nil
}

// newPasswordSecret creates an immutable Secret for one generation of passwords, and returns its
// name. Running pods keep the Secret that they mount until they end.
func newPasswordSecret(ctx *pulumi.Context, stack *config.Stack, eks *eksCluster, name string, files pulumi.StringMap) (pulumi.StringInput, error) {
	created, err := corev1.NewSecret(ctx, stack.Name()+"-"+name, &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String(name), Namespace: eks.namespace},
		Immutable:  pulumi.Bool(true),
		StringData: files,
	}, eks.kubernetesProvider)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return created.Metadata.Name().Elem(), nil
}

// usesIAM reports whether roles log in with IAM tokens.
func (l *databaseLogins) usesIAM() bool { return l.store.resourceID != nil }

// url returns the URL of the database with a user and without a password.
func (l *databaseLogins) url(user string) pulumi.StringInput {
	return pulumi.Sprintf("postgres://%s@%s:%d/%s?sslmode=%s", user, l.store.host, l.store.port, postgres.DatabaseName, l.sslMode)
}

// addLogin adds to an environment what its pods need to log in as a role: variables, files and
// permissions.
func (l *databaseLogins) addLogin(env *environment, role string) {
	env.variables["DATABASE_MAX_CONNECTIONS"] = pulumi.String(strconv.Itoa(l.pool))
	if l.usesIAM() {
		env.variables["DATABASE_URL"] = l.url(postgres.IAMLogin(role))
		env.variables["DATABASE_LOGIN"] = pulumi.String("iam")
		env.variables["AWS_REGION"] = pulumi.String(l.stack.Region)
		env.statements = append(env.statements, connectPermission(l.base.account, l.store.resourceID, postgres.IAMLogin(role)))
		return
	}
	env.variables["DATABASE_URL"] = l.url(postgres.PasswordLogin(role, l.stack.Postgres.PasswordGeneration))
	env.variables["DATABASE_PASSWORD_FILE"] = pulumi.String(secretsFolder + "postgres/" + secretfiles.FileName)
	env.files = append(env.files, service.SecretFiles{Name: "postgres", SecretName: l.currentSecrets[role], MountPath: secretsFolder + "postgres"})
}

// connectPermission returns the permission to log in as one role of one database. Source: RDS
// User Guide, "Creating and using an IAM policy for IAM database access".
func connectPermission(databaseAccount *account.Account, resourceID pulumi.StringInput, user string) iam.Statement {
	return iam.Statement{
		Sid: "Connect", Actions: []string{"rds-db:connect"},
		Resources: iam.ARNs(databaseAccount.ARN("rds-db", pulumi.Sprintf("dbuser:%s/%s", resourceID, user))),
	}
}

// addOwnerLogin adds to the migration's environment what the migration needs to log in as the
// owner. It also adds the roles that the migration creates.
func (l *databaseLogins) addOwnerLogin(env *environment) {
	env.variables["DATABASE_URL"] = l.url(postgres.Owner)
	env.addPassword("postgres", "DATABASE_PASSWORD_FILE", l.store)
	var connections []string
	roles := connectionsByRole(l.stack, l.pool)
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		connections = append(connections, fmt.Sprintf("%s=%d", role, roles[role]))
	}
	env.variables["ROLE_CONNECTIONS"] = pulumi.String(strings.Join(connections, ","))
	if l.usesIAM() {
		env.variables["ROLE_LOGIN"] = pulumi.String("iam")
		return
	}
	const folder = secretsFolder + "roles"
	env.variables["ROLE_LOGIN"] = pulumi.String("password")
	env.variables["ROLE_PASSWORDS"] = pulumi.String(folder)
	env.variables["ROLE_GENERATION"] = pulumi.String(strconv.Itoa(l.stack.Postgres.PasswordGeneration))
	for _, generation := range slices.Sorted(maps.Keys(l.rolesSecrets)) {
		env.files = append(env.files, service.SecretFiles{
			Name: fmt.Sprintf("roles-%d", generation), SecretName: l.rolesSecrets[generation], MountPath: fmt.Sprintf("%s/%d", folder, generation),
		})
	}
}
