package volumes

import (
	"context"
	"fmt"
	"log"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// resizeInterval is how long a larger claim may wait. A folder has no size, so
// nothing but the records has to change.
const resizeInterval = 2 * time.Second

// resize gives claims that ask for more what they ask for, until ctx ends. It
// plays the part of the external-resizer of a CSI driver.
func resize(ctx context.Context, client kubernetes.Interface) {
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

func resizeAll(ctx context.Context, client kubernetes.Interface) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	claims, err := client.CoreV1().PersistentVolumeClaims(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list claims: %w", err)
	}
	for i := range claims.Items {
		claim := &claims.Items[i]
		wanted := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		has := claim.Status.Capacity[corev1.ResourceStorage]
		ours := claim.Spec.StorageClassName != nil && *claim.Spec.StorageClassName == ClassName
		if !ours || claim.Status.Phase != corev1.ClaimBound || wanted.Cmp(has) <= 0 {
			continue
		}
		volume, err := client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("volume of claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
		volume.Spec.Capacity[corev1.ResourceStorage] = wanted
		if _, err := client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("volume %s: %w", volume.Name, err)
		}
		claim.Status.Capacity[corev1.ResourceStorage] = wanted
		if _, err := client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("claim %s/%s: %w", claim.Namespace, claim.Name, err)
		}
	}
	return nil
}
