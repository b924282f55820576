package cost

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/progressive-framework/platform/policy/graph"
	"github.com/progressive-framework/platform/policy/k8sview"
	"github.com/progressive-framework/platform/policy/value"
)

const (
	claimType   = "kubernetes:core/v1:PersistentVolumeClaim"
	classType   = "kubernetes:storage.k8s.io/v1:StorageClass"
	ebsDriver   = "ebs.csi.aws.com"
	bytesPerGiB = 1 << 30
)

// addVolumeClaim adds the EBS volume that is created for a claim.
func addVolumeClaim(b billing) {
	claim := b.resource.View()
	addClaimVolumes(b, value.As[k8sview.PersistentVolumeClaimSpec](claim.Get("spec")), 1)
}

// addStatefulSet adds the EBS volumes that a StatefulSet's claim templates create, one for each
// pod and template. A claim that is itself a resource of the stack is not counted here, because
// addVolumeClaim counts it.
func addStatefulSet(b billing, v k8sview.StatefulSet) {
	templates, complete := v.Spec().VolumeClaimTemplates().Items()
	if !complete {
		b.addUndecided("ebs:gp3", "volumeClaimTemplates", notKnown)
		return
	}
	if len(templates) == 0 {
		return
	}
	pods, name := readIntegerOr(v.Spec().Replicas(), 1), readString(v.Metadata().Name())
	if !pods.ok() {
		b.addUndecided("ebs:gp3", "replicas", pods.problem)
		return
	}
	existingClaims, problem := claimNames(b.estimator.graph)
	for _, t := range templates {
		template := readString(t.Metadata().Name())
		if len(existingClaims) > 0 {
			problem = cmp.Or(name.problem, template.problem, problem)
		}
		if problem != "" {
			b.addUndecided("ebs:gp3", "whether a claim of the stack is one of volumeClaimTemplates", problem)
			continue
		}
		if count := countUnclaimed(existingClaims, template.value, name.value, pods.value); count > 0 {
			addClaimVolumes(b, t.Spec(), count)
		}
	}
}

// countUnclaimed returns the number of claims of a template that are not in claims. Kubernetes names
// a claim TEMPLATE-STATEFULSET-ORDINAL, such as data-postgres-0.
func countUnclaimed(claims map[string]bool, template, statefulSet string, pods int64) int64 {
	count := int64(0)
	for pod := range pods {
		if !claims[fmt.Sprintf("%s-%s-%d", template, statefulSet, pod)] {
			count++
		}
	}
	return count
}

// claimNames returns the names of the claims that are resources of the stack. problem is notKnown if
// the name of one of them is unknown, or else empty.
func claimNames(g *graph.Graph) (names map[string]bool, problem string) {
	names = map[string]bool{}
	for _, claim := range g.OfType(claimType) {
		name := readString(value.As[value.String](claim.View().At("metadata.name")))
		if name.problem == notKnown {
			problem = notKnown
		}
		names[name.value] = true
	}
	return names, problem
}

// addClaimVolumes adds count equal volumes. spec is the specification of the claim that creates one
// of them.
func addClaimVolumes(b billing, spec k8sview.PersistentVolumeClaimSpec, count int64) {
	class := readString(spec.StorageClassName())
	if !class.ok() {
		b.addUndecided("", "storageClassName", class.problem)
		return
	}
	kind := volumeKind(b, class.value)
	if !kind.ok() {
		b.addUndecided("", "the storage class "+class.value, kind.problem)
		return
	}
	size := readString(spec.Resources().Requests().Entry("storage"))
	if !size.ok() {
		b.addUndecided("ebs:"+kind.value, "resources.requests.storage", size.problem)
		return
	}
	quantity, err := resource.ParseQuantity(size.value)
	gib := (quantity.Value() + bytesPerGiB - 1) / bytesPerGiB // EBS rounds up
	if err != nil || gib < 0 || gib*count > maxQuantity {
		b.addUndecided("ebs:"+kind.value, "resources.requests.storage", fmt.Sprintf("is %q, which is no valid size", size.value))
		return
	}
	b.addFixed("ebs:"+kind.value, gib*count)
}

// volumeKind returns the EBS volume type that the storage class with this name creates. If the type
// is not known, problem says why: it follows "the storage class NAME" in a message.
func volumeKind(b billing, name string) reading[string] {
	for _, class := range b.estimator.graph.OfType(classType) {
		if matches, _ := value.As[value.String](class.View().At("metadata.name")).Is(name).Known(); !matches {
			continue
		}
		provisioner := readString(value.As[value.String](class.View().Get("provisioner")))
		if provisioner.ok() && provisioner.value != ebsDriver {
			return reading[string]{problem: "creates volumes by " + provisioner.value + ", not by EBS"}
		}
		if !provisioner.ok() {
			return reading[string]{problem: "has a provisioner that " + provisioner.problem}
		}
		return readStringOr(value.As[value.String](class.View().At("parameters.type")), "gp3") // the driver's default
	}
	return reading[string]{problem: "is not part of the stack"}
}

// addKubernetesService adds an item without a price if the Service creates a load balancer. If the
// type of the Service is not known, it adds an undecided item.
func addKubernetesService(b billing) {
	switch kind := readStringOr(value.As[value.String](b.resource.View().At("spec.type")), "ClusterIP"); {
	case !kind.ok():
		b.addUndecided("", "spec.type", kind.problem)
	case kind.value == "LoadBalancer":
		b.addUnpriced("", "a Service of type LoadBalancer creates a load balancer outside of the stack")
	}
}
