package redis

import (
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/redis/redistuning"
	"github.com/progressive-framework/platform/components/scaling"
)

const (
	// clusterBusPort is the port of the cluster bus: the port of Redis plus 10,000.
	clusterBusPort = Port + 10_000
	agentPort      = 8000

	// clientPortName and clusterBusPortName are the names of the container's ports.
	clientPortName, clusterBusPortName = "client", "gossip"
	// metricsPortName is the name of the port on which the agent publishes the metrics of its
	// node.
	metricsPortName = scrape.MetricsPort

	configFolder, authFolder, dataFolder = "/etc/redis", "/etc/redis-auth", "/data"

	// terminationGrace is the time in seconds for a shutdown. After SIGTERM Redis writes a
	// snapshot.
	terminationGrace = 60
)

// podSpec returns the spec of a pod with a Redis node and its agent.
func podSpec(args *InClusterArgs, selector pulumi.StringMap, config, nodeSecret pulumi.StringInput) *corev1.PodSpecArgs {
	spec := datastore.PodSpec(podsecurity.NonRoot, terminationGrace, corev1.ContainerArray{nodeContainer(args), agentContainer(args)}, corev1.VolumeArray{
		datastore.ConfigFiles("redis-config", config), datastore.SecretFiles("auth", nodeSecret),
	})
	// The pods are spread over zones and Kubernetes nodes, so that the loss of one of them
	// affects few pods. This is only a preference: in a cluster with one zone or one Kubernetes
	// node, all pods run there.
	spec.Affinity = &corev1.AffinityArgs{PodAntiAffinity: &corev1.PodAntiAffinityArgs{
		PreferredDuringSchedulingIgnoredDuringExecution: corev1.WeightedPodAffinityTermArray{
			antiAffinityTerm(selector, "topology.kubernetes.io/zone", 100), antiAffinityTerm(selector, "kubernetes.io/hostname", 50),
		},
	}}
	return spec
}

// antiAffinityTerm returns a preference for pods in different zones or on different Kubernetes
// nodes. topologyKey is the label of the nodes that decides what is different.
func antiAffinityTerm(selector pulumi.StringMap, topologyKey string, weight int) *corev1.WeightedPodAffinityTermArgs {
	return &corev1.WeightedPodAffinityTermArgs{
		Weight: pulumi.Int(weight),
		PodAffinityTerm: &corev1.PodAffinityTermArgs{
			TopologyKey: pulumi.String(topologyKey), LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: selector},
		},
	}
}

// nodeContainer returns the container of the Redis node, with the resources and probes of the
// design document.
func nodeContainer(args *InClusterArgs) *corev1.ContainerArgs {
	return &corev1.ContainerArgs{
		Name:    pulumi.String("redis"),
		Image:   args.Image,
		Command: pulumi.ToStringArray([]string{"redis-server", configFolder + "/redis.conf"}),
		Ports: corev1.ContainerPortArray{
			&corev1.ContainerPortArgs{Name: pulumi.String(clientPortName), ContainerPort: pulumi.Int(Port)},
			&corev1.ContainerPortArgs{Name: pulumi.String(clusterBusPortName), ContainerPort: pulumi.Int(clusterBusPort)},
		},
		Resources: podresources.RequirementsFromText(args.CPURequest.String(), args.Memory.Div(4).String(), "1000m", args.Memory.String()),
		LivenessProbe: &corev1.ProbeArgs{
			Exec:                &corev1.ExecActionArgs{Command: pulumi.ToStringArray(redistuning.LiveCommand)},
			InitialDelaySeconds: pulumi.Int(30), TimeoutSeconds: pulumi.Int(5), PeriodSeconds: pulumi.Int(30),
		},
		ReadinessProbe: &corev1.ProbeArgs{
			Exec:                &corev1.ExecActionArgs{Command: pulumi.ToStringArray(redistuning.ReadyCommand)},
			InitialDelaySeconds: pulumi.Int(5), TimeoutSeconds: pulumi.Int(1), PeriodSeconds: pulumi.Int(5),
		},
		SecurityContext: podsecurity.Container(),
		VolumeMounts:    corev1.VolumeMountArray{datastore.Mount("redis-data", dataFolder), datastore.Mount("redis-config", configFolder), datastore.Mount("auth", authFolder)},
	}
}

// agentContainer returns the container of the agent, which keeps the node in the Redis cluster.
func agentContainer(args *InClusterArgs) *corev1.ContainerArgs {
	var peers []string
	for i := range nodes {
		peers = append(peers, fmt.Sprintf("%s-%d.%s:%d", StatefulSet, i, serviceName, Port))
	}
	return &corev1.ContainerArgs{
		Name:  pulumi.String("redisnode"),
		Image: args.AgentImage,
		Env: corev1.EnvVarArray{
			podFieldEnv("NODE_NAME", "metadata.name"), podFieldEnv("POD_IP", "status.podIP"),
			datastore.Env("PEERS", strings.Join(peers, ",")), datastore.Env("SHARDS", fmt.Sprint(shards)),
			datastore.Env("PASSWORD_FILE", authFolder+"/"+datastore.PasswordKey),
			datastore.Env("METRICS_ADDRESS", fmt.Sprintf(":%d", scaling.MetricsPort)),
		},
		Ports: corev1.ContainerPortArray{
			&corev1.ContainerPortArgs{Name: pulumi.String("agent"), ContainerPort: pulumi.Int(agentPort)},
			&corev1.ContainerPortArgs{Name: pulumi.String(metricsPortName), ContainerPort: pulumi.Int(scaling.MetricsPort)},
		},
		Resources: podresources.RequirementsFromText("10m", "32Mi", "200m", "64Mi"),
		LivenessProbe: &corev1.ProbeArgs{
			HttpGet:             &corev1.HTTPGetActionArgs{Path: pulumi.String("/health"), Port: pulumi.String("agent")},
			InitialDelaySeconds: pulumi.Int(10), TimeoutSeconds: pulumi.Int(5), PeriodSeconds: pulumi.Int(30),
		},
		// The pod is ready when the node serves its hash slots.
		ReadinessProbe: &corev1.ProbeArgs{
			HttpGet:             &corev1.HTTPGetActionArgs{Path: pulumi.String("/health/ready"), Port: pulumi.String("agent")},
			InitialDelaySeconds: pulumi.Int(5), TimeoutSeconds: pulumi.Int(1), PeriodSeconds: pulumi.Int(5),
		},
		SecurityContext: podsecurity.Container(),
		VolumeMounts:    corev1.VolumeMountArray{datastore.Mount("auth", authFolder)},
	}
}

// podFieldEnv returns an environment variable with the value of a field of the pod.
func podFieldEnv(name, field string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), ValueFrom: &corev1.EnvVarSourceArgs{
		FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String(field)},
	}}
}
