package postgres

// Exporter is the database role that reads the server's metrics. agents/migrate creates this
// role, and a role for each service that connects. A service's role has the short name of the
// service.
const Exporter = "exporter"

// PasswordLogin returns the login role for the password of a generation. Each role has two login
// roles, and each new generation uses the other one. So pods with the old password can still log in
// after a rotation. The names must be the same as in agents/migrate/pgroles.
func PasswordLogin(role string, generation int) string {
	return role + []string{"_a", "_b"}[generation%2]
}

// IAMLogin returns the login role for IAM tokens. The name must be the same as in
// agents/migrate/pgroles.
func IAMLogin(role string) string { return role + "_iam" }
