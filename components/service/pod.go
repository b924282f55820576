package service

import (
	"maps"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/scaling"
)

// podSpec returns the pod spec of a service: one container with probes. The pods are spread over
// zones and nodes.
func podSpec(args *Args, serviceAccount pulumi.StringInput, selector pulumi.StringMap) *corev1.PodSpecArgs {
	p := args.Profile
	volumes, mounts := volumesAndMounts(p.Caches, args.Secrets)
	c := newContainer(p.Name, &args.Pod, p.Env, podresources.Requirements(p.Resources, p.Caches...), mounts)
	c.Ports = corev1.ContainerPortArray{newPort("http", p.Port), newPort(metricsPort, scaling.MetricsPort)}
	c.Env = append(c.Env.(corev1.EnvVarArray), &corev1.EnvVarArgs{Name: pulumi.String("METRICS_ADDRESS"), Value: pulumi.Sprintf(":%d", scaling.MetricsPort)})
	c.StartupProbe, c.LivenessProbe, c.ReadinessProbe = startupProbe(p.Startup()), httpProbe(p.Liveness), httpProbe(p.Readiness)
	spec := restrictedPodSpec(&args.Pod, serviceAccount, c, volumes)
	spec.TopologySpreadConstraints = corev1.TopologySpreadConstraintArray{
		spreadConstraint("topology.kubernetes.io/zone", selector), spreadConstraint("kubernetes.io/hostname", selector),
	}
	return spec
}

// metricsPort is the name of the port that Prometheus scrapes. No Service has this port, so
// users and other services can't reach it.
const metricsPort = "metrics"

// newPort returns a TCP port of a container.
func newPort(name string, number int) *corev1.ContainerPortArgs {
	return &corev1.ContainerPortArgs{Name: pulumi.String(name), ContainerPort: pulumi.Int(number), Protocol: pulumi.String("TCP")}
}

// spreadConstraint returns the constraint that distributes pods over zones or nodes, so that the loss
// of one zone or node affects few pods. The constraint is only a preference. With
// DoNotSchedule, a zone without capacity would block the scheduling in the other zones,
// because the numbers of pods may differ by at most MaxSkew.
func spreadConstraint(key string, selector pulumi.StringMap) *corev1.TopologySpreadConstraintArgs {
	return &corev1.TopologySpreadConstraintArgs{
		MaxSkew:           pulumi.Int(1),
		TopologyKey:       pulumi.String(key),
		WhenUnsatisfiable: pulumi.String("ScheduleAnyway"),
		LabelSelector:     &metav1.LabelSelectorArgs{MatchLabels: selector},
	}
}

// restrictedPodSpec returns a pod spec with few permissions: no root user, no capabilities, a
// read-only root file system, and no service account token. serviceAccount is the name of the
// service account.
func restrictedPodSpec(p *Pod, serviceAccount pulumi.StringInput, c *corev1.ContainerArgs, volumes corev1.VolumeArray) *corev1.PodSpecArgs {
	c.SecurityContext = podsecurity.Container()
	return &corev1.PodSpecArgs{
		ServiceAccountName:            serviceAccount,
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(int(scaling.TerminationGrace.Seconds())),
		SecurityContext:               podsecurity.PodWithVolumes(podsecurity.NonRoot),
		NodeSelector:                  pulumi.ToStringMap(p.NodeSelector),
		Tolerations:                   tolerations(p.Tolerations),
		Containers:                    corev1.ContainerArray{c},
		Volumes:                       volumes,
	}
}

// newContainer returns the container of a service or of a task.
func newContainer(name string, p *Pod, env []scaling.EnvVar, resources *corev1.ResourceRequirementsArgs, mounts corev1.VolumeMountArray) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:  pulumi.String(name),
		Image: p.Image,
		Env:   environment(env, p.Settings),
		// The last lines of the log of a container that fails are in the pod's status.
		// The Kubernetes provider shows them in its diagnostics.
		TerminationMessagePolicy: pulumi.String("FallbackToLogsOnError"),
		Resources:                resources,
		VolumeMounts:             mounts,
	}
}

// environment returns the environment variables vars, and then settings in the order of their names.
func environment(vars []scaling.EnvVar, settings pulumi.StringMap) corev1.EnvVarArray {
	env := make(corev1.EnvVarArray, 0, len(vars)+len(settings))
	for _, v := range vars {
		e := &corev1.EnvVarArgs{Name: pulumi.String(v.Name)}
		if v.Resource != "" {
			e.ValueFrom = &corev1.EnvVarSourceArgs{ResourceFieldRef: &corev1.ResourceFieldSelectorArgs{Resource: pulumi.String(v.Resource)}}
		} else {
			e.Value = pulumi.String(v.Value)
		}
		env = append(env, e)
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		env = append(env, &corev1.EnvVarArgs{Name: pulumi.String(name), Value: settings[name]})
	}
	return env
}

// tolerations returns the tolerations for the taints.
func tolerations(taints []scaling.Taint) corev1.TolerationArray {
	var podTolerations corev1.TolerationArray
	for _, t := range taints {
		podTolerations = append(podTolerations, &corev1.TolerationArgs{
			Key: pulumi.String(t.Key), Operator: pulumi.String("Equal"), Value: pulumi.String(t.Value), Effect: pulumi.String(t.Effect),
		})
	}
	return podTolerations
}

// httpProbe returns an HTTP probe on the service's port.
func httpProbe(p scaling.Probe) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet:        &corev1.HTTPGetActionArgs{Path: pulumi.String(p.Path), Port: pulumi.String("http")},
		PeriodSeconds:  pulumi.Int(int(p.Period.Seconds())),
		TimeoutSeconds: pulumi.Int(int(p.Timeout.Seconds())),
	}
}

// startupProbe returns the HTTP probe for the start of a container.
func startupProbe(p scaling.StartupProbe) *corev1.ProbeArgs {
	probe := httpProbe(scaling.Probe{Path: p.Path, Period: p.Period, Timeout: p.Timeout})
	probe.FailureThreshold = pulumi.Int(p.Failures)
	return probe
}
