package postgres

import (
	"cmp"
	"strconv"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/size"
)

// podSpec is a pod that the namespace's policy "restricted" lets in: no root,
// no capability, no writable root, no token of the API server.
func podSpec(args *InClusterArgs, config, auth pulumi.StringInput) *corev1.PodSpecArgs {
	memory, cores := pulumi.String(args.Tuning.Memory.String()), pulumi.String(strconv.Itoa(args.Tuning.Cores))
	return &corev1.PodSpecArgs{
		AutomountServiceAccountToken:  pulumi.Bool(false),
		EnableServiceLinks:            pulumi.Bool(false),
		TerminationGracePeriodSeconds: pulumi.Int(terminationGrace),
		SecurityContext: &corev1.PodSecurityContextArgs{
			RunAsNonRoot: pulumi.Bool(true), RunAsUser: pulumi.Int(user), RunAsGroup: pulumi.Int(user), FsGroup: pulumi.Int(user),
			FsGroupChangePolicy: pulumi.String("OnRootMismatch"),
			SeccompProfile:      &corev1.SeccompProfileArgs{Type: pulumi.String("RuntimeDefault")},
		},
		Containers: corev1.ContainerArray{&corev1.ContainerArgs{
			Name:    pulumi.String("postgres"),
			Image:   args.Image,
			Command: pulumi.ToStringArray([]string{"/bin/sh", configFolder + "/entrypoint.sh"}),
			Env: corev1.EnvVarArray{
				variable("DATA", dataFolder+"/pgdata"), // a volume's root may hold lost+found
				variable("CONFIG", configFolder+"/postgresql.conf"),
				variable("PASSWORD_FILE", secretFolder+"/password"),
				variable("SOCKETS", socketFolder), variable("OWNER", Owner), variable("DATABASE", DatabaseName),
			},
			Ports: corev1.ContainerPortArray{&corev1.ContainerPortArgs{Name: pulumi.String("postgres"), ContainerPort: pulumi.Int(Port)}},
			// The model counts on all of the memory; the cores may be shared.
			Resources: &corev1.ResourceRequirementsArgs{
				Requests: pulumi.StringMap{"memory": memory, "cpu": pulumi.String(strconv.Itoa(args.Tuning.Cores*250) + "m")},
				Limits:   pulumi.StringMap{"memory": memory, "cpu": cores},
			},
			// Recovery after a crash takes its time.
			StartupProbe:   probe(5, 120),
			LivenessProbe:  probe(30, 3),
			ReadinessProbe: probe(5, 3),
			// The fast shutdown: at SIGTERM the server waits for every client.
			Lifecycle: &corev1.LifecycleArgs{PreStop: &corev1.LifecycleHandlerArgs{
				Exec: &corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{"/bin/sh", "-c", "kill -INT 1"})},
			}},
			SecurityContext: &corev1.SecurityContextArgs{
				AllowPrivilegeEscalation: pulumi.Bool(false), ReadOnlyRootFilesystem: pulumi.Bool(true),
				Capabilities: &corev1.CapabilitiesArgs{Drop: pulumi.ToStringArray([]string{"ALL"})},
			},
			VolumeMounts: corev1.VolumeMountArray{
				mount("postgres-data", dataFolder), mount("config", configFolder), mount("auth", secretFolder),
				mount("sockets", socketFolder), mount("shared", "/dev/shm"), mount("temporary", "/tmp"),
				&corev1.VolumeMountArgs{Name: pulumi.String("config"), MountPath: pulumi.String("/etc/passwd"), SubPath: pulumi.String("passwd")},
			},
		}},
		Volumes: corev1.VolumeArray{
			&corev1.VolumeArgs{Name: pulumi.String("config"), ConfigMap: &corev1.ConfigMapVolumeSourceArgs{Name: config}},
			&corev1.VolumeArgs{Name: pulumi.String("auth"), Secret: &corev1.SecretVolumeSourceArgs{SecretName: auth, DefaultMode: pulumi.Int(0o440)}},
			&corev1.VolumeArgs{Name: pulumi.String("sockets"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{Medium: pulumi.String("Memory"), SizeLimit: pulumi.String("1Mi")}},
			&corev1.VolumeArgs{Name: pulumi.String("temporary"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{SizeLimit: pulumi.String("64Mi")}},
			// What parallel workers share; a container has 64 MiB of it otherwise.
			&corev1.VolumeArgs{Name: pulumi.String("shared"), EmptyDir: &corev1.EmptyDirVolumeSourceArgs{
				Medium: pulumi.String("Memory"), SizeLimit: pulumi.String(args.Tuning.Memory.Over(4).String()),
			}},
		},
	}
}

func volume(args *InClusterArgs) *corev1.PersistentVolumeClaimTypeArgs {
	return &corev1.PersistentVolumeClaimTypeArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("postgres-data")},
		Spec: &corev1.PersistentVolumeClaimSpecArgs{
			AccessModes:      pulumi.ToStringArray([]string{"ReadWriteOnce"}),
			StorageClassName: pulumi.String(cmp.Or(args.StorageClass, "fast-ssd")),
			Resources: &corev1.VolumeResourceRequirementsArgs{
				Requests: pulumi.StringMap{"storage": pulumi.String(cmp.Or(args.Storage, size.GiB(20)).String())},
			},
		},
	}
}

func variable(name, value string) *corev1.EnvVarArgs {
	return &corev1.EnvVarArgs{Name: pulumi.String(name), Value: pulumi.String(value)}
}

func mount(volume, path string) *corev1.VolumeMountArgs {
	return &corev1.VolumeMountArgs{Name: pulumi.String(volume), MountPath: pulumi.String(path)}
}

func probe(period, failures int) *corev1.ProbeArgs {
	return &corev1.ProbeArgs{
		Exec:          &corev1.ExecActionArgs{Command: pulumi.ToStringArray([]string{"/bin/sh", configFolder + "/entrypoint.sh", "ready"})},
		PeriodSeconds: pulumi.Int(period), TimeoutSeconds: pulumi.Int(5), FailureThreshold: pulumi.Int(failures),
	}
}
