package scaling

import "k8s.io/apimachinery/pkg/api/resource"

// Disk is a container's request and limit of its node's disk, which Kubernetes calls
// ephemeral-storage.
type Disk struct{ Request, Limit resource.Quantity }

// logMiB is what the kubelet keeps of a container's log: five files of 10 MiB, and what
// comes before it looks again (KubeletConfiguration, containerLogMaxSize,
// containerLogMaxFiles and containerLogMonitorInterval).
const logMiB = 64

// otherMiB is for volumes without a size of their own in Caches, such as Alertmanager's
// 64 MiB.
const otherMiB = 192

// DiskFor returns the disk of a container that fills caches of these sizes. The root file
// system can't be written, so that the rest is its log. The kubelet evicts a pod that
// uses more than the limits of its containers. The request has no cache: they are seldom
// full, and an evicted pod fills them anew.
func DiskFor(caches ...Cache) Disk {
	d := Disk{Request: mebibytes(logMiB), Limit: mebibytes(logMiB + otherMiB)}
	for _, c := range caches {
		d.Limit.Add(c.SizeLimit)
	}
	return d
}

func mebibytes(n int64) resource.Quantity { return *resource.NewQuantity(n<<20, resource.BinarySI) }
