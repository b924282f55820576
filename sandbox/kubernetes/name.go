package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The annotations by which a program talks to the provider. They are the real
// provider's and are kept on the object.
const (
	annotationAutonamed  = "pulumi.com/autonamed"
	annotationSkipAwait  = "pulumi.com/skipAwait"      // "true": no waiting at all; "ready": none for readiness
	annotationTimeout    = "pulumi.com/timeoutSeconds" // overrides the default of ten minutes
	annotationPatchForce = "pulumi.com/patchForce"     // "true": take fields from other managers
	annotationWaitFor    = "pulumi.com/waitFor"        // condition=TYPE or condition=TYPE=STATUS
)

// suffixLength is the length in characters of what makes a name unique.
const suffixLength = 8

// maxName is the longest that a name may be without being refused somewhere: a
// Service's name, and that of a pod's label, ends at 63 characters.
const maxName = 63

// autoname gives an object without a name one: that of its resource and eight
// hex digits. The digits are a hash of the resource's URN and of the name that
// the object replaces. Unlike random ones they are the same in the preview and
// in the update, and when an update is repeated whose first attempt was killed:
// the object that it made is found again instead of being made twice.
func autoname(urn, name, replaced string) string {
	sum := sha256.Sum256([]byte(urn + "\x00" + replaced))
	stem := strings.ToLower(name)
	if longest := maxName - 1 - suffixLength; len(stem) > longest {
		stem = strings.TrimRight(stem[:longest], "-.")
	}
	return stem + "-" + hex.EncodeToString(sum[:])[:suffixLength]
}

// managerName is the field manager by which the API server knows what a
// resource applied. It is a hash of the URN, so that an object whose creation
// was never recorded can be told from one of somebody else.
func managerName(urn string) string {
	sum := sha256.Sum256([]byte(urn))
	return "pulumi-kubernetes-" + hex.EncodeToString(sum[:])[:suffixLength]
}

var errNameless = errors.New("metadata.name is missing, and pulumi:autonaming is off for this resource")

// name fills in metadata.name where inputs have none. olds are the inputs in
// the engine's state, empty for a new object; standing is the identity of the
// object that the state has, empty where it has none.
func name(inputs, olds map[string]any, req *pulumirpc.CheckRequest, standing string) error {
	if given, ok := lookup(inputs, "metadata", "name"); ok {
		if given == "" {
			return errors.New("metadata.name is empty")
		}
		return nil
	}
	if _, ok := lookup(inputs, "metadata", "generateName"); ok {
		return errors.New("metadata.generateName can't be applied, the API server would make an object at each update; leave both names out and Pulumi names the object")
	}
	chosen, err := chooseName(olds, req, standing)
	if err != nil {
		return err
	}
	if !set(inputs, chosen, "metadata", "name") {
		return nil // metadata as a whole is not known yet
	}
	set(inputs, "true", "metadata", "annotations", annotationAutonamed)
	return nil
}

func chooseName(olds map[string]any, req *pulumirpc.CheckRequest, standing string) (string, error) {
	if old := text(olds, "metadata", "name"); old != "" && text(olds, "metadata", "annotations", annotationAutonamed) == "true" {
		return old, nil
	}
	switch a := req.GetAutonaming(); {
	case a == nil:
	case a.GetMode() == pulumirpc.CheckRequest_AutonamingOptions_DISABLE:
		return "", errNameless
	default:
		if a.GetProposedName() == "" {
			return "", fmt.Errorf("the autonaming of the stack proposes no name for %s", req.GetUrn())
		}
		return a.GetProposedName(), nil
	}
	resource := req.GetName()
	if resource == "" {
		resource = req.GetUrn()[strings.LastIndex(req.GetUrn(), "::")+2:]
	}
	_, replaced := parseID(standing)
	return autoname(req.GetUrn(), resource, replaced), nil
}
