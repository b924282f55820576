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

// addVolumeClaim adds the EBS volume that the storage class of a claim creates.
func addVolumeClaim(b billing) {
	claim := b.r.View()
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
	pods, name := readWholeOr(v.Spec().Replicas(), 1), readText(v.Metadata().Name())
	if !pods.ok() {
		b.addUndecided("ebs:gp3", "replicas", pods.problem)
		return
	}
	claims, problem := claimNames(b.e.graph)
	for _, t := range templates {
		template := readText(t.Metadata().Name())
		if len(claims) > 0 {
			problem = cmp.Or(name.problem, template.problem, problem)
		}
		if problem != "" {
			b.addUndecided("ebs:gp3", "whether a claim of the stack is one of volumeClaimTemplates", problem)
			continue
		}
		if count := countUnclaimed(claims, template.value, name.value, pods.value); count > 0 {
			addClaimVolumes(b, t.Spec(), count)
		}
	}
}

// countUnclaimed returns how many of a template's claims are not among claims. Kubernetes names a
// claim TEMPLATE-SET-ORDINAL, such as data-postgres-0.
func countUnclaimed(claims map[string]bool, template, set string, pods int64) int64 {
	count := int64(0)
	for pod := range pods {
		if !claims[fmt.Sprintf("%s-%s-%d", template, set, pod)] {
			count++
		}
	}
	return count
}

// claimNames returns the names of the claims that are resources of the stack. problem says
// why the name of one of them is unknown.
func claimNames(g *graph.Graph) (names map[string]bool, problem string) {
	names = map[string]bool{}
	for _, c := range g.OfType(claimType) {
		n := readText(value.As[value.String](c.View().At("metadata.name")))
		if n.problem == notKnown {
			problem = notKnown
		}
		names[n.value] = true
	}
	return names, problem
}

// addClaimVolumes adds as many equal volumes as count says. spec is the claim that creates one.
func addClaimVolumes(b billing, spec k8sview.PersistentVolumeClaimSpec, count int64) {
	class := readText(spec.StorageClassName())
	if !class.ok() {
		b.addUndecided("", "storageClassName", class.problem)
		return
	}
	kind := volumeKind(b, class.value)
	if !kind.ok() {
		b.addUndecided("", "the storage class "+class.value, kind.problem)
		return
	}
	size := readText(spec.Resources().Requests().Key("storage"))
	if !size.ok() {
		b.addUndecided("ebs:"+kind.value, "resources.requests.storage", size.problem)
		return
	}
	q, err := resource.ParseQuantity(size.value)
	gib := (q.Value() + bytesPerGiB - 1) / bytesPerGiB // EBS rounds up
	if err != nil || gib < 0 || gib*count > maxQuantity {
		b.addUndecided("ebs:"+kind.value, "resources.requests.storage", fmt.Sprintf("is %q, which is no valid size", size.value))
		return
	}
	b.addFixed("ebs:"+kind.value, gib*count)
}

// volumeKind returns the EBS volume type that the storage class called name creates. problem is
// what follows the name of the storage class in a message.
func volumeKind(b billing, name string) reading[string] {
	for _, class := range b.e.graph.OfType(classType) {
		if same, _ := value.As[value.String](class.View().At("metadata.name")).Is(name).Known(); !same {
			continue
		}
		provisioner := readText(value.As[value.String](class.View().Get("provisioner")))
		if provisioner.ok() && provisioner.value != ebsDriver {
			return reading[string]{problem: "creates volumes by " + provisioner.value + ", not by EBS"}
		}
		if !provisioner.ok() {
			return reading[string]{problem: "has a provisioner that " + provisioner.problem}
		}
		return readTextOr(value.As[value.String](class.View().At("parameters.type")), "gp3") // the driver's default
	}
	return reading[string]{problem: "is not part of the stack"}
}

// addKubernetesService adds an item without a price if the Service creates a load balancer.
func addKubernetesService(b billing) {
	switch kind := readTextOr(value.As[value.String](b.r.View().At("spec.type")), "ClusterIP"); {
	case !kind.ok():
		b.addUndecided("", "spec.type", kind.problem)
	case kind.value == "LoadBalancer":
		b.addUnpriced("", "a Service of type LoadBalancer creates a load balancer outside of the stack")
	}
}
