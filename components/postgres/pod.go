package postgres

import (
	"strconv"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/datastore"
	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/podsecurity"
)

// podSpec returns the spec of the server's pod, which has one container.
func podSpec(args *InClusterArgs, config, auth pulumi.StringInput) *corev1.PodSpecArgs {
	memory := args.Tuning.Memory.String()
	return datastore.PodSpec(userID, terminationGrace,
		corev1.ContainerArray{&corev1.ContainerArgs{
			Name:    pulumi.String("postgres"),
			Image:   args.Image,
			Command: pulumi.ToStringArray([]string{"/bin/sh", configFolder + "/entrypoint.sh"}),
			Env: corev1.EnvVarArray{
				datastore.Env("DATA", dataFolder+"/pgdata"), // the root of a volume can have the folder lost+found
				datastore.Env("CONFIG", configFolder+"/postgresql.conf"),
				datastore.Env("PASSWORD_FILE", secretFolder+"/"+datastore.PasswordKey),
				datastore.Env("SOCKETS", socketFolder), datastore.Env("OWNER", Owner), datastore.Env("DATABASE", DatabaseName),
			},
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String(portName), ContainerPort: pulumi.Int(Port)}},
			// The settings use all of the memory, so the memory request is the limit. The server
			// may share its cores, so the CPU request is a quarter of the limit.
			Resources: podresources.RequirementsFromText(strconv.Itoa(args.Tuning.Cores*250)+"m", memory, strconv.Itoa(args.Tuning.Cores), memory),
			// Recovery after a crash may take up to ten minutes: 120 times 5 s.
			StartupProbe:   newProbe(5, 120),
			LivenessProbe:  newProbe(30, 3),
			ReadinessProbe: newProbe(5, 3),
			// SIGINT is PostgreSQL's fast shutdown. With SIGTERM the server would wait
			// for every client.
			Lifecycle: &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{
				Exec: &corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{"/bin/sh", "-c", "kill -INT 1"})},
			}},
			SecurityContext: podsecurity.Container(),
			VolumeMounts: corev1.VolumeMountArray{
				datastore.Mount("postgres-data", dataFolder), datastore.Mount("config", configFolder), datastore.Mount("auth", secretFolder),
				datastore.Mount("sockets", socketFolder), datastore.Mount("shared", "/dev/shm"), datastore.Mount("temporary", "/tmp"),
				&corev1.VolumeMountArgs{Name: pulumi.String("config"), MountPath: pulumi.String("/etc/passwd"), SubPath: pulumi.String("passwd")},
			},
		}},
		corev1.VolumeArray{
			datastore.ConfigFiles("config", config),
			datastore.SecretFiles("auth", auth),
			&corev1.VolumeArgs{Name: pulumi.String("sockets"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{Medium: pulumi.String("Memory"), SizeLimit: pulumi.String("1Mi")}},
			&corev1.VolumeArgs{Name: pulumi.String("temporary"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("64Mi")}},
			// Parallel workers need shared memory, of which a container has only 64 MiB by
			// default.
			&corev1.VolumeArgs{Name: pulumi.String("shared"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{
				Medium: pulumi.String("Memory"), SizeLimit: pulumi.String(args.Tuning.Memory.Div(4).String()),
			}},
		},
	)
}

// newProbe returns a probe that runs the entry point's command "ready" every period seconds.
func newProbe(period, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		Exec:          &corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{"/bin/sh", configFolder + "/entrypoint.sh", "ready"})},
		PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(failures),
	}
}
