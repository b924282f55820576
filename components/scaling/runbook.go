package scaling

// Runbooks is the folder of the runbooks. Alerts and alarms link to a section in it.
const Runbooks = "https://github.com/progressive-framework/platform/blob/main/docs/runbooks/"

// AlarmRunbook is the page with a section for each kind of CloudWatch alarm.
const AlarmRunbook = Runbooks + "alarms.md"

// AlarmDescription returns the description of a CloudWatch alarm: what is wrong, and the section
// of AlarmRunbook that says what to do. CloudWatch sends the description with each notification.
func AlarmDescription(section, text string) string {
	return text + ". What to do: " + AlarmRunbook + "#" + section
}
