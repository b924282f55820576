// Package podresources converts a container's requests and limits to Pulumi's types. The
// numbers are in package scaling.
package podresources

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/scaling"
)

// Requirements returns the requests and limits of a container. caches are the container's cache
// volumes, for which the container also requests disk space of the node.
func Requirements(r scaling.Resources, caches ...scaling.Cache) *corev1.ResourceRequirementsArgs {
	return RequirementsFromText(r.CPURequest.String(), r.MemoryRequest.String(), r.CPULimit.String(), r.MemoryLimit.String(), caches...)
}

// RequirementsFromText is like Requirements, but its arguments are Kubernetes quantities as text,
// such as "100m".
func RequirementsFromText(cpuRequest, memoryRequest, cpuLimit, memoryLimit string, caches ...scaling.Cache) *corev1.ResourceRequirementsArgs {
	disk := scaling.DiskFor(caches...)
	return &corev1.ResourceRequirementsArgs{
		Requests: pulumi.StringMap{
			"cpu": pulumi.String(cpuRequest), "memory": pulumi.String(memoryRequest), "ephemeral-storage": pulumi.String(disk.Request.String()),
		},
		Limits: pulumi.StringMap{
			"cpu": pulumi.String(cpuLimit), "memory": pulumi.String(memoryLimit), "ephemeral-storage": pulumi.String(disk.Limit.String()),
		},
	}
}
