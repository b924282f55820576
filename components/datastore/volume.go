package datastore

import (
	"cmp"
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore/storespec"
	"github.com/progressive-framework/platform/components/size"
)

// Volume configures the volume of each pod of a StatefulSet.
type Volume struct {
	Name string
	// Capacity and Class are the size and the storage class. Zero means
	// storespec.DefaultVolumeSize and storespec.StorageClass.
	Capacity size.Size
	Class    string
}

// newClaims creates the claim of each pod with the name that the StatefulSet expects
// (Kubernetes, "Stable Storage"). The StatefulSet then uses these claims. These claims
// can grow, because they are resources of the stack. Claims that a StatefulSet creates can't grow:
// a change of its template would replace the StatefulSet.
func (o *Objects) newClaims(v Volume, replicas int) ([]pulumi.Resource, error) {
	var claims []pulumi.Resource
	for i := range replicas {
		name := fmt.Sprintf("%s-%s-%d", v.Name, o.App, i)
		meta := o.Meta(name)
		// The volume may be created only when the pod is scheduled, so the update must
		// not wait for it.
		meta.Annotations = pulumi.StringMap{"pulumi.com/skipAwait": pulumi.String("true")}
		claim, err := corev1.NewPersistentVolumeClaim(o.Context, fmt.Sprintf("%s-volume-%d", o.Name, i), &corev1.PersistentVolumeClaimArgs{
			Metadata: meta, Spec: v.spec(),
		}, o.Parent)
		if err != nil {
			return nil, fmt.Errorf("volume claim %s of %s: %w", name, o.Name, err)
		}
		claims = append(claims, claim)
	}
	return claims, nil
}

// template returns the claim template of a StatefulSet.
func (v Volume) template() *corev1.PersistentVolumeClaimTypeArgs {
	return &corev1.PersistentVolumeClaimTypeArgs{Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(v.Name)}, Spec: v.spec()}
}

// spec returns the spec of a claim and of the claim template.
func (v Volume) spec() *corev1.PersistentVolumeClaimSpecArgs {
	return &corev1.PersistentVolumeClaimSpecArgs{
		AccessModes:      pulumi.ToStringArray([]string{"ReadWriteOnce"}),
		StorageClassName: pulumi.String(cmp.Or(v.Class, storespec.StorageClass)),
		Resources: &corev1.VolumeResourceRequirementsArgs{
			Requests: pulumi.StringMap{"storage": pulumi.String(cmp.Or(v.Capacity, storespec.DefaultVolumeSize()).String())},
		},
	}
}
