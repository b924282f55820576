package driftreport

import "path"

// OwnedField is a field that something other than the program changes on purpose.
type OwnedField struct {
	// Type is the resource type, and Path the property's path. In both, * matches any text.
	Type, Path string
	// By is what changes the field.
	By string
	// Reason explains why the change is not drift.
	Reason string
}

// OwnedFields lists the fields that may change, although the change is not drift.
var OwnedFields = []OwnedField{
	{"aws:autoscaling/group:Group", "desiredCapacity", "Cluster Autoscaler", "it sets the number of nodes; the program sets only the first one"},
	{"aws:autoscaling/group:Group", "predictedCapacity", "EC2 Auto Scaling", "a forecast, which no program sets"},
	{"aws:autoscaling/group:Group", "warmPoolSize", "EC2 Auto Scaling", "the number of instances in the pool now"},
	{"kubernetes:apps/v1:Deployment", "spec.replicas", "HPA and KEDA", "they set the number of pods between the minimum and the maximum"},
	{"kubernetes:*", "status*", "the controller of the kind", "it reports the current state, and no program sets it"},
	{"kubernetes:*", "metadata.resourceVersion", "the API server", "it counts every write, also one of the status"},
	{"kubernetes:*", "metadata.generation", "the API server", "it counts the writes of the specification, also those of an autoscaler"},
	{"kubernetes:*", "metadata.managedFields*", "the API server", "it names the last writer of each field"},
	{"kubernetes:*", "metadata.annotations*deployment.kubernetes.io/revision*", "the deployment controller", "it counts the rollouts"},
	{"kubernetes:admissionregistration.k8s.io/*", "webhooks*clientConfig.caBundle", "webhookcert", "it renews the certificate of the webhook"},
	{"kubernetes:apiregistration.k8s.io/*", "spec.caBundle", "KEDA", "it renews the certificate of the metrics adapter"},
}

// findOwnedField returns the entry of OwnedFields for a property of a resource type, or nil.
func findOwnedField(kind, property string) *OwnedField {
	for i, o := range OwnedFields {
		if matchesPattern(o.Type, kind) && matchesPattern(o.Path, property) {
			return &OwnedFields[i]
		}
	}
	return nil
}

// matchesPattern reports whether a text matches a pattern, in which * matches any text. In
// path.Match, * matches no slash, and brackets and backslashes have a meaning. So matchesPattern
// replaces these characters before it calls path.Match.
func matchesPattern(pattern, text string) bool {
	replaceSpecial := func(s string) string {
		out := []rune(s)
		for i, r := range out {
			switch r {
			case '/':
				out[i] = '\x01'
			case '[':
				out[i] = '\x02'
			case ']':
				out[i] = '\x03'
			case '\\':
				out[i] = '\x04'
			}
		}
		return string(out)
	}
	ok, err := path.Match(replaceSpecial(pattern), replaceSpecial(text))
	return err == nil && ok
}
