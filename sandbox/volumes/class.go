// Package volumes provisions persistent volumes for the sandbox's pods, in place of the
// EBS CSI driver. A volume is a folder of this machine, for a claim of the storage class
// ClassName. Unlike volumes of EBS, these volumes are not replicated and not limited in
// size.
//
// In a user's own cluster the package provisions no volumes. There it creates the class
// as a copy of the cluster's default class.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	storageclient "k8s.io/client-go/kubernetes/typed/storage/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// ClassName is the name of the storage class of the stack sandbox. On AWS the program
// creates the class fast-ssd for the EBS CSI driver instead.
const ClassName = "sandbox-local"

// provisionerName is the provisioner in the storage class.
const provisionerName = "sandbox.progressive-framework/local"

// ebsProvisioner is the provisioner in the class fast-ssd: the EBS CSI driver. In a simulated
// cluster the stacks staging and prod use that class, so this package must also provision the
// volumes of that class.
const ebsProvisioner = "ebs.csi.aws.com"

// provisioners are the names under which this package provisions volumes.
var provisioners = []string{provisionerName, ebsProvisioner}

// defaultAnnotation is the annotation of a cluster's default class.
const defaultAnnotation = "storageclass.kubernetes.io/is-default-class"

// setupTimeout limits the requests to the API server in each of these operations: the
// creation of the class, and one search for claims to resize.
const setupTimeout = 30 * time.Second

// newClient returns a client of the sandbox's cluster.
func newClient(l *layout.Layout) (kubernetes.Interface, error) {
	conf, err := clientcmd.BuildConfigFromFlags("", l.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	client, err := kubernetes.NewForConfig(conf)
	if err != nil {
		return nil, fmt.Errorf("volumes: %w", err)
	}
	return client, nil
}

// CopyDefaultClass creates the class in a user's own cluster as a copy of the
// default class, unless it exists.
func CopyDefaultClass(ctx context.Context, l *layout.Layout) error {
	client, err := newClient(l)
	if err != nil {
		return err
	}
	return copyDefaultClass(ctx, client.StorageV1().StorageClasses())
}

// copyDefaultClass creates the class ClassName as a copy of the default class, unless ClassName
// exists. Tests call it with a fake cluster.
func copyDefaultClass(ctx context.Context, classes storageclient.StorageClassInterface) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	existing, err := classes.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("volumes: list storage classes: %w", err)
	}
	var defaultClass *storagev1.StorageClass
	for i, class := range existing.Items {
		if class.Name == ClassName {
			return nil
		}
		if class.Annotations[defaultAnnotation] == "true" {
			defaultClass = &existing.Items[i]
		}
	}
	if defaultClass == nil {
		return errors.New("volumes: the cluster has no default storage class, so pods get no volumes: " +
			"create one, or one named " + ClassName)
	}
	defaultClass.ObjectMeta = metav1.ObjectMeta{Name: ClassName}
	return ensureClass(ctx, classes, defaultClass)
}

// newClass returns the storage class ClassName. A volume is a folder on the pod's node, so the
// volume is provisioned after the pod was assigned to a node. A volume is deleted with its
// claim. Kubernetes does not delete the claims of a deleted StatefulSet, so the StatefulSet's
// data stay.
func newClass() *storagev1.StorageClass {
	bindingMode, reclaimPolicy, expansion := storagev1.VolumeBindingWaitForFirstConsumer, corev1.PersistentVolumeReclaimDelete, true
	return &storagev1.StorageClass{
		ObjectMeta:           metav1.ObjectMeta{Name: ClassName},
		Provisioner:          provisionerName,
		VolumeBindingMode:    &bindingMode,
		ReclaimPolicy:        &reclaimPolicy,
		AllowVolumeExpansion: &expansion,
	}
}

// ensureClass creates the class. If the class exists, ensureClass updates only
// AllowVolumeExpansion. Only this field may differ in an older sandbox, and Kubernetes
// allows its change.
func ensureClass(ctx context.Context, classes storageclient.StorageClassInterface, class *storagev1.StorageClass) error {
	_, err := classes.Create(ctx, class, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		var existing *storagev1.StorageClass
		if existing, err = classes.Get(ctx, class.Name, metav1.GetOptions{}); err == nil {
			existing.AllowVolumeExpansion = class.AllowVolumeExpansion
			_, err = classes.Update(ctx, existing, metav1.UpdateOptions{})
		}
	}
	if err != nil {
		return fmt.Errorf("volumes: storage class %s: %w", class.Name, err)
	}
	return nil
}
