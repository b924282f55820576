package containerlogs

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/containerlogs/fluentbit"
	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/scaling"
)

// rootGroup is the group of the log files, which containerd creates with mode 0640. So a pod with
// this group can read the files although its user is not root.
const rootGroup = 0

// terminationGrace is the time in seconds in which an ending pod can send the lines that it has
// read: Kubernetes' default.
const terminationGrace = 30

// podSpec returns the spec of the pods. The pods need no service account token, because the path
// of a log file has the names of its namespace, pod and container.
func podSpec(image, configMapName pulumi.StringInput) *corev1.PodSpecArgs {
	spec := datastore.PodSpec(podsecurity.NonRoot, terminationGrace,
		corev1.ContainerArray{&corev1.ContainerArgs{
			Name:    pulumi.String(appName),
			Image:   image,
			Command: pulumi.ToStringArray([]string{fluentbit.Program, "-c", configFolder + "/" + configFile}),
			Env: corev1.EnvVarArray{&corev1.EnvVarArgs{Name: pulumi.String("NODE_NAME"), ValueFrom: &corev1.EnvVarSourceArgs{
				FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String("spec.nodeName")},
			}}},
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{
				Name: pulumi.String("health"), ContainerPort: pulumi.Int(fluentbit.HealthPort), Protocol: pulumi.String("TCP"),
			}},
			LivenessProbe:   newProbe(fluentbit.LivenessPath),
			ReadinessProbe:  newProbe(fluentbit.ReadinessPath),
			Resources:       podresources.Requirements(scaling.LogShipperResources()),
			SecurityContext: podsecurity.Container(),
			VolumeMounts: corev1.VolumeMountArray{
				datastore.Mount("config", configFolder), datastore.Mount("state", fluentbit.StateFolder),
				&corev1.VolumeMountArgs{Name: pulumi.String("logs"), MountPath: pulumi.String(fluentbit.LogFolder), ReadOnly: pulumi.Bool(true)},
			},
		}},
		corev1.VolumeArray{
			datastore.ConfigFiles("config", configMapName),
			&corev1.VolumeArgs{Name: pulumi.String("state"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("64Mi")}},
			&corev1.VolumeArgs{Name: pulumi.String("logs"), HostPath: &corev1.HostPathVolumeSourceArgs{
				Path: pulumi.String(fluentbit.LogFolder), Type: pulumi.String("Directory"),
			}},
		},
	)
	security := podsecurity.PodWithVolumes(podsecurity.NonRoot)
	security.RunAsGroup = pulumi.Int(rootGroup)
	spec.SecurityContext = security
	spec.ServiceAccountName = pulumi.String(appName)
	spec.PriorityClassName = pulumi.String("system-node-critical") // on a full node, the scheduler evicts other pods for these pods
	spec.Tolerations = corev1.TolerationArray{&corev1.TolerationArgs{Operator: pulumi.String("Exists")}}
	spec.Affinity = nodeAffinity()
	return spec
}

// newProbe returns a probe that gets the path from Fluent Bit's HTTP server.
func newProbe(path string) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet:       &corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String("health")},
		PeriodSeconds: pulumi.Int(10), TimeoutSeconds: pulumi.Int(5),
	}
}
