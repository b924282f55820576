package main

import "path"

// argument says why a CRITICAL of kube-score is no fault. Check is the check's id. Object
// is a pattern of KIND/NAME, in which * stands for any text.
type argument struct{ Check, Object, Reason string }

// oneEndpoint is the reason for programs with one endpoint for both probes.
const oneEndpoint = "the program has one endpoint for its health; readiness is asked twice as often, so that it fails first"

// arguments are all of them. One that fits no CRITICAL of a stack is a fault itself.
var arguments = []argument{
	{"container-image-pull-policy", "*/*", "an image by digest is the same image, and the node's role pulls it: there is no secret to validate again"},
	{"container-security-context-user-group-id", "Deployment/aws-node-termination-handler", "1000 is the user of upstream's image and chart; it has no volume that another user could share"},
	{"container-security-context-user-group-id", "DaemonSet/fluent-bit", "the group of root owns the log files of containers; its user is not root, and it has no capability"},
	{"pod-probes-identical", "Deployment/aws-node-termination-handler", "the program has one endpoint for its health, and no client sends it requests"},
	{"pod-probes-identical", "Deployment/cluster-autoscaler", "the program has one endpoint for its health, and no client sends it requests"},
	{"pod-probes-identical", "Deployment/postgres-exporter", oneEndpoint},
	{"pod-probes-identical", "Deployment/vpa-*", oneEndpoint},
}

// fits reports whether the argument is about a CRITICAL.
func (a argument) fits(f finding) bool {
	matched, err := path.Match(a.Object, f.Kind+"/"+f.Name)
	return a.Check == f.Check && err == nil && matched
}

// unanswered returns the CRITICALs without an argument, and the arguments without a
// CRITICAL.
func unanswered(critical []finding, all []argument) (faults []finding, unused []argument) {
	used := make([]bool, len(all))
	for _, f := range critical {
		answered := false
		for i, a := range all {
			if a.fits(f) {
				used[i], answered = true, true
			}
		}
		if !answered {
			faults = append(faults, f)
		}
	}
	for i, a := range all {
		if !used[i] {
			unused = append(unused, a)
		}
	}
	return faults, unused
}
