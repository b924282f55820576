package redis

import (
	"cmp"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/redis/redistuning"
)

const (
	// gossipPort is Redis' bus, 10,000 above its port.
	gossipPort = Port + 10_000
	agentPort  = 8000

	configFolder, authFolder, dataFolder = "/etc/redis", "/etc/redis-auth", "/data"

	// user is that of the platform's own images; redis needs no name for it.
	user = 65532

	// terminationGrace, in seconds, is for the snapshot that Redis writes when
	// it is told to end.
	terminationGrace = 60
)

// podSpec is a pod that the namespace's policy "restricted" lets in: no root,
// no capability, no writable root, no token of the API server.
func (b *objects) podSpec(config pulumi.StringInput) *corev1.PodSpecArgs {
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(terminationGrace),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true), RunAsUser: pulumi.Int(user), RunAsGroup: pulumi.Int(user), FsGroup: pulumi.Int(user),
			FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
			SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		// The loss of a zone or a node takes as few as can be; where there is
		// one only, they run there.
		Affinity: &corev1.AffinityArgs{PodAntiAffinity: &corev1.PodAntiAffinityArgs{
			PreferredDuringSchedulingIgnoredDuringExecution: corev1.WeightedPodAffinityTermArray{
				b.apart("topology.kubernetes.io/zone", 100), b.apart("kubernetes.io/hostname", 50),
			},
		}},
		Containers: corev1.ContainerArray{b.redis(), b.agent()},
		Volumes: corev1.VolumeArray{
			&corev1.VolumeArgs{Name: pulumi.String("redis-config"), ConfigMap: &corev1.ConfigMapVolumeSourceArgs{Name: config}},
			&corev1.VolumeArgs{Name: pulumi.String("auth"), Secret: &corev1.SecretVolumeSourceArgs{SecretName: b.nodeSecret, DefaultMode: pulumi.Int(0o440)}},
		},
	}
}

func (b *objects) apart(key string, weight int) *corev1.WeightedPodAffinityTermArgs {
	return &corev1.WeightedPodAffinityTermArgs{
		Weight: pulumi.Int(weight),
		PodAffinityTerm: &corev1.PodAffinityTermArgs{
			TopologyKey: pulumi.String(key), LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: b.selector},
		},
	}
}

// redis has the document's resources and probes.
func (b *objects) redis() *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:    pulumi.String("redis"),
		Image:   b.args.Image,
		Command: pulumi.ToStringArray([]string{"redis-server", configFolder + "/redis.conf"}),
		Ports: corev1.ContainerPortArray{
			&corev1.ContainerPortArgs{Name: pulumi.String("client"), ContainerPort: pulumi.Int(Port)},
			&corev1.ContainerPortArgs{Name: pulumi.String("gossip"), ContainerPort: pulumi.Int(gossipPort)},
		},
		Resources: resources(b.args.CPURequest.String(), b.args.Memory.Over(4).String(), "1000m", b.args.Memory.String()),
		LivenessProbe: &corev1.ProbeArgs{
			Exec:                &corev1.ExecActionArgs{Command: pulumi.ToStringArray(redistuning.LiveCommand)},
			InitialDelaySeconds: pulumi.Int(30), TimeoutSeconds: pulumi.Int(5), PeriodSeconds: pulumi.Int(30),
		},
		ReadinessProbe: &corev1.ProbeArgs{
			Exec:                &corev1.ExecActionArgs{Command: pulumi.ToStringArray(redistuning.ReadyCommand)},
			InitialDelaySeconds: pulumi.Int(5), TimeoutSeconds: pulumi.Int(1), PeriodSeconds: pulumi.Int(5),
		},
		SecurityContext: locked(),
		VolumeMounts:    corev1.VolumeMountArray{mount("redis-data", dataFolder), mount("redis-config", configFolder), mount("auth", authFolder)},
	}
}

// agent keeps the node in the cluster.
func (b *objects) agent() *corev1.ContainerArgs {
	var peers []string
	for i := range nodes {
		peers = append(peers, fmt.Sprintf("%s-%d.%s:%d", statefulSet, i, serviceName, Port))
	}
	return &corev1.ContainerArgs{
		Name:  pulumi.String("redisnode"),
		Image: b.args.AgentImage,
		Env: corev1.EnvVarArray{
			fromPod("NODE_NAME", "metadata.name"), fromPod("POD_IP", "status.podIP"),
			variable("PEERS", strings.Join(peers, ",")), variable("SHARDS", fmt.Sprint(shards)),
			variable("PASSWORD_FILE", authFolder+"/password"),
		},
		Ports:     corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String("agent"), ContainerPort: pulumi.Int(agentPort)}},
		Resources: resources("10m", "32Mi", "200m", "64Mi"),
		LivenessProbe: &corev1.ProbeArgs{
			HttpGet:             &corev1.HTTPGetActionArgs{Path: pulumi.String("/health"), Port: pulumi.String("agent")},
			InitialDelaySeconds: pulumi.Int(10), TimeoutSeconds: pulumi.Int(5), PeriodSeconds: pulumi.Int(30),
		},
		// The pod is ready when the node serves its part of the cluster.
		ReadinessProbe: &corev1.ProbeArgs{
			HttpGet:             &corev1.HTTPGetActionArgs{Path: pulumi.String("/health/ready"), Port: pulumi.String("agent")},
			InitialDelaySeconds: pulumi.Int(5), TimeoutSeconds: pulumi.Int(1), PeriodSeconds: pulumi.Int(5),
		},
		SecurityContext: locked(),
		VolumeMounts:    corev1.VolumeMountArray{mount("auth", authFolder)},
	}
}

func (b *objects) volume() *corev1.PersistentVolumeClaimTypeArgs {
	return &corev1.PersistentVolumeClaimTypeArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("redis-data")},
		Spec: &corev1.PersistentVolumeClaimSpecArgs{
			AccessModes:      pulumi.ToStringArray([]string{"ReadWriteOnce"}),
			StorageClassName: pulumi.String(cmp.Or(b.args.StorageClass, "fast-ssd")),
			Resources:        &corev1.VolumeResourceRequirementsArgs{Requests: pulumi.StringMap{"storage": pulumi.String(b.args.Storage.String())}},
		},
	}
}

func resources(cpu, memory, cpuLimit, memoryLimit string) *corev1.ResourceRequirementsArgs {
	return &corev1.ResourceRequirementsArgs{
		Requests: pulumi.StringMap{"cpu": pulumi.String(cpu), "memory": pulumi.String(memory)},
		Limits:   pulumi.StringMap{"cpu": pulumi.String(cpuLimit), "memory": pulumi.String(memoryLimit)},
	}
}

func locked() *corev1.SecurityContextArgs {
	return &corev1.SecurityContextArgs{
		AllowPrivilegeEscalation: pulumi.Bool(false), ReadOnlyRootFilesystem: pulumi.Bool(true),
		Capabilities: &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
	}
}

func variable(name, value string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), Value: pulumi.String(value)}
}

func fromPod(name, field string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), ValueFrom: &corev1.EnvVarSourceArgs{
		FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String(field)},
	}}
}

func mount(volume, path string) *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(volume), MountPath: pulumi.String(path)}
}
