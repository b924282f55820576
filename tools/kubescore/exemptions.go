package main

import "path"

// exemption is for findings of kube-score that are acceptable, and has the reason.
type exemption struct {
	Check  string // the id of kube-score's check
	Object string // a pattern of KIND/NAME, in which * matches any text
	Reason string
}

// oneEndpoint is the reason for programs with one endpoint for both probes.
const oneEndpoint = "the program has one endpoint for its health; the readiness probe runs twice as often, so that it fails first"

// exemptions are the exemptions of all stacks. A test fails if an exemption matches no finding of
// any stack.
var exemptions = []exemption{
	{"container-image-pull-policy", "*/*", "an image by digest is the same image, and the node's role pulls it: there is no secret to validate again"},
	{"container-security-context-user-group-id", "Deployment/aws-node-termination-handler", "1000 is the user of upstream's image and chart; the pod has no volume that another user could share"},
	{"container-security-context-user-group-id", "DaemonSet/fluent-bit", "the group of root owns the log files of containers; its user is not root, and it has no capability"},
	{"pod-probes-identical", "Deployment/aws-node-termination-handler", "the program has one endpoint for its health, and no client sends it requests"},
	{"pod-probes-identical", "Deployment/cluster-autoscaler", "the program has one endpoint for its health, and no client sends it requests"},
	{"pod-probes-identical", "Deployment/postgres-exporter", oneEndpoint},
	{"pod-probes-identical", "Deployment/vpa-*", oneEndpoint},
}

// matches reports whether the exemption is for this finding.
func (e exemption) matches(f finding) bool {
	matched, err := path.Match(e.Object, f.Kind+"/"+f.Name)
	return e.Check == f.Check && err == nil && matched
}

// applyExemptions returns the findings without an exemption, and the exemptions that match no finding.
func applyExemptions(critical []finding, exemptions []exemption) (findings []finding, unused []exemption) {
	used := make([]bool, len(exemptions))
	for _, f := range critical {
		exempt := false
		for i, exemption := range exemptions {
			if exemption.matches(f) {
				used[i], exempt = true, true
			}
		}
		if !exempt {
			findings = append(findings, f)
		}
	}
	for i, exemption := range exemptions {
		if !used[i] {
			unused = append(unused, exemption)
		}
	}
	return findings, unused
}
