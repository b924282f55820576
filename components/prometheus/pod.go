package prometheus

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
	"github.com/progressive-framework/platform/components/prometheus/scrape"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/size"
)

// userID is the id of the user nobody, as in the image of the Prometheus project.
const userID = 65534

// podSpec returns the spec of a Prometheus pod.
func podSpec(args *Args, config, consoles pulumi.StringInput, labels pulumi.StringMap) *corev1.PodSpecArgs {
	resources := scaling.PrometheusResources().WithRequests(args.RequestShare)
	pod := datastore.PodSpec(userID, terminationGrace,
		corev1.ContainerArray{&corev1.ContainerArgs{
			Name:            pulumi.String(app),
			Image:           args.Image,
			Args:            pulumi.ToStringArray(flags(args)),
			Ports:           corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String(portName), ContainerPort: pulumi.Int(Port), Protocol: pulumi.String("TCP")}},
			Resources:       podresources.Requirements(resources),
			StartupProbe:    newProbe("/-/ready", 1, 600), // ten minutes: after a crash Prometheus replays its write-ahead log
			ReadinessProbe:  newProbe("/-/ready", 5, 3),
			LivenessProbe:   newProbe("/-/healthy", 15, 4),
			SecurityContext: podsecurity.Container(),
			VolumeMounts:    corev1.VolumeMountArray{datastore.Mount("config", configFolder), datastore.Mount(volumeName, dataFolder), datastore.Mount("consoles", consoleFolder)},
		}},
		corev1.VolumeArray{datastore.ConfigFiles("config", config), datastore.ConfigFiles("consoles", consoles)},
	)
	pod.ServiceAccountName = pulumi.String(app)
	pod.AutomountServiceAccountToken = pulumi.Bool(true) // Prometheus reads its targets from the API server
	pod.NodeSelector = pulumi.ToStringMap(args.NodeSelector)
	if args.Workspace != nil {
		pod.Containers.(corev1.ContainerArray)[0].(*corev1.ContainerArgs).Env = corev1.EnvVarArray{&corev1.EnvVarArgs{
			Name:      pulumi.String(scrape.PodVariable),
			ValueFrom: &corev1.EnvVarSourceArgs{FieldRef: &corev1.ObjectFieldSelectorArgs{FieldPath: pulumi.String("metadata.name")}},
		}}
	}
	if args.Replicas > 1 {
		pod.TopologySpreadConstraints = corev1.TopologySpreadConstraintArray{&corev1.TopologySpreadConstraintArgs{
			MaxSkew: pulumi.Int(1), TopologyKey: pulumi.String("topology.kubernetes.io/zone"),
			WhenUnsatisfiable: pulumi.String("ScheduleAnyway"), LabelSelector: &metav1.LabelSelectorArgs{MatchLabels: labels},
		}}
	}
	return pod
}

// flags returns Prometheus' command line (prometheus/prometheus,
// docs/command-line/prometheus.md). Without --web.enable-lifecycle and --web.enable-admin-api,
// nobody can change the server over HTTP.
func flags(args *Args) []string {
	return []string{
		"--config.file=" + configFolder + "/" + configFile,
		"--storage.tsdb.path=" + dataFolder,
		fmt.Sprintf("--storage.tsdb.retention.time=%dh", int(retention.Hours())),
		// A full volume would stop Prometheus. Four fifths leave space for the write-ahead log
		// and for compaction (prometheus/prometheus, docs/storage.md, "Right-sizing retention
		// size").
		fmt.Sprintf("--storage.tsdb.retention.size=%dMB", args.Storage.Mul(4).Div(5).Bytes()/size.MiB(1).Bytes()),
		fmt.Sprintf("--web.listen-address=:%d", Port),
		"--web.console.templates=" + consoleFolder,
		"--log.format=json",
	}
}

// newProbe returns a probe that gets the path from Prometheus' API every period seconds.
func newProbe(path string, period, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		HttpGet:       &corev1.HTTPGetActionArgs{Path: pulumi.String(path), Port: pulumi.String(portName)},
		PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(failures),
	}
}
