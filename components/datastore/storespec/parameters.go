package storespec

// ApplyMethod returns the apply method of a parameter of RDS or DocumentDB. A static
// parameter needs a reboot.
//
// For a parameter with the default value of its family, AWS returns pending-reboot
// whatever was sent. With a different method the next preview would show a difference
// (pulumi/pulumi-aws#2442). Such a parameter is in effect already and needs no reboot.
func ApplyMethod(value, familyDefault string, static bool) string {
	if static || (familyDefault != "" && value == familyDefault) {
		return "pending-reboot"
	}
	return "immediate"
}
