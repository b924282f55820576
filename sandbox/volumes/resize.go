package volumes

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// provisionedByAnnotation is the annotation of a volume with the name of its provisioner.
const provisionedByAnnotation = "pv.kubernetes.io/provisioned-by"

// resizeInterval is the time between two searches for claims that request more storage. A
// folder has no size, so only the capacities in the API objects have to change.
const resizeInterval = 2 * time.Second

// runResizer enlarges the volumes of claims that request more storage than they have. It works
// until ctx ends, as the external-resizer of a CSI driver does.
func runResizer(ctx context.Context, client kubernetes.Interface) {
	tick := time.NewTicker(resizeInterval)
	defer tick.Stop()
	for {
		if err := resizeAll(ctx, client); err != nil && ctx.Err() == nil {
			log.Printf("volumes: resize: %v", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// resizeAll searches once for claims that request more storage than they have, and enlarges
// their volumes.
func resizeAll(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	claims, err := client.CoreV1().PersistentVolumeClaims(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list claims: %w", err)
	}
	for i := range claims.Items {
		claim := &claims.Items[i]
		requested := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		current := claim.Status.Capacity[corev1.ResourceStorage]
		if claim.Status.Phase != corev1.ClaimBound || requested.Cmp(current) <= 0 {
			continue
		}
		volume, err := client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("volume of claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
		if !slices.Contains(provisioners, volume.Annotations[provisionedByAnnotation]) {
			continue // another driver provisioned this volume
		}
		volume.Spec.Capacity[corev1.ResourceStorage] = requested
		if _, err := client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
		claim.Status.Capacity[corev1.ResourceStorage] = requested
		if _, err := client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
	}
	return nil
}
