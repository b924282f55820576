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

// volumeClaim adds the EBS volume that the storage class of a claim creates.
func volumeClaim(i item) {
	claim := i.r.View()
	claimVolume(i, value.As[k8sview.PersistentVolumeClaimSpec](claim.Get("spec")), 1)
}

// statefulSet adds the volumes of its claim templates, one for each pod. A claim that is a
// resource of the stack is an item of its own.
func statefulSet(i item, v k8sview.StatefulSet) {
	templates, complete := v.Spec().VolumeClaimTemplates().Items()
	if !complete {
		i.undecided("ebs:gp3", "volumeClaimTemplates", notKnown)
		return
	}
	if len(templates) == 0 {
		return
	}
	pods, name := wholeOr(v.Spec().Replicas(), 1), text(v.Metadata().Name())
	if !pods.ok() {
		i.undecided("ebs:gp3", "replicas", pods.problem)
		return
	}
	claims, problem := namedClaims(i.e.graph)
	for _, t := range templates {
		template := text(t.Metadata().Name())
		if len(claims) > 0 {
			problem = cmp.Or(name.problem, template.problem, problem)
		}
		if problem != "" {
			i.undecided("ebs:gp3", "whether a claim of the stack is one of volumeClaimTemplates", problem)
			continue
		}
		// A claim that is a resource of the stack is an item of its own.
		if count := unclaimed(claims, template.value, name.value, pods.value); count > 0 {
			claimVolume(i, t.Spec(), count)
		}
	}
}

// unclaimed returns how many claims of a template are not among claims. Kubernetes names a
// claim TEMPLATE-SET-ORDINAL.
func unclaimed(claims map[string]bool, template, set string, pods int64) int64 {
	count := int64(0)
	for pod := range pods {
		if !claims[fmt.Sprintf("%s-%s-%d", template, set, pod)] {
			count++
		}
	}
	return count
}

// namedClaims returns the names of the claims that are resources of the stack. problem says
// why the name of one of them is unknown.
func namedClaims(g *graph.Graph) (names map[string]bool, problem string) {
	names = map[string]bool{}
	for _, c := range g.OfType(claimType) {
		n := text(value.As[value.String](c.View().At("metadata.name")))
		if n.problem == notKnown {
			problem = notKnown
		}
		names[n.value] = true
	}
	return names, problem
}

// claimVolume adds a number of volumes of one claim.
func claimVolume(i item, spec k8sview.PersistentVolumeClaimSpec, count int64) {
	class := text(spec.StorageClassName())
	if !class.ok() {
		i.undecided("", "storageClassName", class.problem)
		return
	}
	kind := volumeKind(i, class.value)
	if !kind.ok() {
		i.undecided("", "the storage class "+class.value, kind.problem)
		return
	}
	size := text(spec.Resources().Requests().Key("storage"))
	if !size.ok() {
		i.undecided("ebs:"+kind.value, "resources.requests.storage", size.problem)
		return
	}
	q, err := resource.ParseQuantity(size.value)
	gib := (q.Value() + bytesPerGiB - 1) / bytesPerGiB // EBS rounds up
	if err != nil || gib < 0 || gib*count > maxQuantity {
		i.undecided("ebs:"+kind.value, "resources.requests.storage", fmt.Sprintf("is %q, which is no valid size", size.value))
		return
	}
	i.fixed("ebs:"+kind.value, gib*count)
}

// volumeKind returns the EBS volume type of a storage class of the stack.
func volumeKind(i item, name string) reading[string] {
	for _, class := range i.e.graph.OfType(classType) {
		if same, _ := value.As[value.String](class.View().At("metadata.name")).Is(name).Known(); !same {
			continue
		}
		provisioner := text(value.As[value.String](class.View().Get("provisioner")))
		if provisioner.ok() && provisioner.value != ebsDriver {
			return reading[string]{problem: "creates volumes by " + provisioner.value + ", not by EBS"}
		}
		if !provisioner.ok() {
			return reading[string]{problem: "has a provisioner that " + provisioner.problem}
		}
		return textOr(value.As[value.String](class.View().At("parameters.type")), "gp3") // the driver's default
	}
	return reading[string]{problem: "is not part of the stack"}
}

// kubernetesService adds an item without a price if the Service creates a load balancer.
func kubernetesService(i item) {
	switch kind := textOr(value.As[value.String](i.r.View().At("spec.type")), "ClusterIP"); {
	case !kind.ok():
		i.undecided("", "spec.type", kind.problem)
	case kind.value == "LoadBalancer":
		i.unpriced("", "a Service of type LoadBalancer creates a load balancer outside of the stack")
	}
}
