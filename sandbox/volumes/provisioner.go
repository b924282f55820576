package volumes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisioner creates a folder below root for each claim. It implements the interface of
// the external provisioner library.
type provisioner struct{ root string }

// folderMode is the mode of a volume's folder: its owner and group may write. The
// kubelet sets the group to the fsGroup of the pod.
const folderMode = 0o770

// Provision creates a folder and a volume for it. The volume has the type local,
// because the kubelet sets the fsGroup of a pod only for some types. The node affinity
// compares the label of the host name with the node's name, which are equal in a sandbox.
func (p provisioner) Provision(_ context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if options.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s/%s: its pod has no node yet", options.PVC.Namespace, options.PVC.Name)
	}
	path := filepath.Join(p.root, options.PVName)
	err := os.MkdirAll(path, folderMode)
	if err == nil {
		err = os.Chmod(path, folderMode) // because MkdirAll removes the bits of the umask from the mode
	}
	if err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s/%s: %w", options.PVC.Namespace, options.PVC.Name, err)
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: options.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{options.SelectedNodeName},
				}}}},
			}},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes a volume's folder. It returns an error if the folder is not the one
// that Provision creates for a volume of this name.
func (p provisioner) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	if volume.Spec.Local == nil || volume.Spec.Local.Path != filepath.Join(p.root, volume.Name) {
		return fmt.Errorf("volume %s: its path is not in %s, so it is left alone", volume.Name, p.root)
	}
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	return nil
}
