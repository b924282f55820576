package storespec

// ApplyMethod returns with which method a parameter of RDS or DocumentDB is sent.
//
// AWS returns a parameter that equals the default of its family as pending-reboot,
// whatever was sent, and the next preview would show a difference (pulumi/pulumi-aws#2442).
// Such a parameter is in effect already, so nothing waits for a restart.
func ApplyMethod(value, familyDefault string, static bool) string {
	if static || (familyDefault != "" && value == familyDefault) {
		return "pending-reboot"
	}
	return "immediate"
}
