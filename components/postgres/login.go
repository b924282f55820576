package postgres

// Exporter is the role that reads the server's metrics. agents/migrate creates it, and
// one for each service that connects, under the service's short name.
const Exporter = "exporter"

// PasswordLogin returns the role by which a program logs in with the password of a
// generation. Two roles take turns, so that a rotation locks nobody out. It must agree
// with agents/migrate/pgroles.
func PasswordLogin(role string, generation int) string {
	return role + []string{"_a", "_b"}[generation%2]
}

// IAMLogin returns the role by which a program logs in with a token of IAM. It must agree
// with agents/migrate/pgroles.
func IAMLogin(role string) string { return role + "_iam" }
