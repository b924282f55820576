package service

import (
	"errors"
	"fmt"
	"time"

	batchv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/batch/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/podresources"
	"github.com/progressive-framework/platform/components/scaling"
)

// TaskArgs configure a Task.
type TaskArgs struct {
	Pod
	// Task has the resources, retries and schedule of the task.
	Task scaling.Task
}

// Task is a container that has run to completion when the resource is created. Resources that
// depend on it are created afterwards.
type Task struct {
	pulumi.ResourceState

	// Ready is the Job. A resource that needs the completed task must depend on Ready,
	// and not on the Task (see network.Network.Ready).
	Ready []pulumi.Resource
	// Policy is the network policy of the pods.
	Policy pulumi.Resource
}

// awaitMargin is the time for which the Kubernetes provider waits after the deadline of a task. With
// this margin the provider reports the failure of the Job, and not its own timeout.
const awaitMargin = 5 * time.Minute

// NewTask runs the container as a Job. A change of the image or of the settings runs a new Job.
// With a schedule, NewTask also creates a CronJob. A failed Job fails the update. The failed Job
// and the logs of its pods stay until the next update creates a new Job.
func NewTask(ctx *pulumi.Context, name string, args *TaskArgs, opts ...pulumi.ResourceOption) (*Task, error) {
	if args == nil || args.Task.ShortName == "" {
		return nil, errors.New("task: args must not be nil and must have a Task with a name")
	}
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("task %s: %w", args.Task.ShortName, err)
	}
	t := &Task{}
	if err := ctx.RegisterComponentResource("progressive:service:Task", name, t, opts...); err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	task, parent := args.Task, pulumi.Parent(t)
	labels := pulumi.StringMap{"app": pulumi.String(task.ShortName)}
	serviceAccount, permissions, err := args.newIdentity(ctx, name, task.ShortName, labels, parent)
	if err != nil {
		return nil, err
	}
	t.Policy, err = args.newNetworkPolicy(ctx, name, task.ShortName, labels, parent)
	if err != nil {
		return nil, err
	}
	permissions = append(permissions, t.Policy)
	jobSpec := args.jobSpec(serviceAccount, labels)
	// Pulumi generates a new name for each Job, because a Job can't be changed.
	job, err := batchv1.NewJob(ctx, name+"-job", &batchv1.JobArgs{
		Metadata: &metav1.ObjectMetaArgs{Namespace: args.Namespace, Labels: labels, Annotations: pulumi.StringMap{
			// Without this annotation the provider finds no change in a failed Job. The
			// next update would then treat the Job as complete.
			"pulumi.com/replaceUnready": pulumi.String("true"),
			"pulumi.com/timeoutSeconds": pulumi.Sprintf("%d", int((task.Deadline + awaitMargin).Seconds())),
		}},
		Spec: jobSpec,
	}, parent, pulumi.DependsOn(permissions))
	if err != nil {
		return nil, fmt.Errorf("job of %s: %w", name, err)
	}
	t.Ready = []pulumi.Resource{job}
	if task.Schedule != "" {
		if _, err := batchv1.NewCronJob(ctx, name+"-schedule", &batchv1.CronJobArgs{
			Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(task.ShortName), Namespace: args.Namespace, Labels: labels},
			Spec: &batchv1.CronJobSpecArgs{
				Schedule:          pulumi.String(task.Schedule),
				TimeZone:          pulumi.String("Etc/UTC"),
				ConcurrencyPolicy: pulumi.String("Forbid"),
				// Without this deadline, the CronJob controller counts all missed runs, and
				// starts no Job after 100 of them.
				StartingDeadlineSeconds: pulumi.Int(int(task.StartWithin.Seconds())),
				JobTemplate:             &batchv1.JobTemplateSpecArgs{Metadata: &metav1.ObjectMetaArgs{Labels: labels}, Spec: jobSpec},
			},
		}, parent, pulumi.DependsOn(permissions)); err != nil {
			return nil, fmt.Errorf("schedule of %s: %w", name, err)
		}
	}
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{})
}

// jobSpec returns the spec of the Job and of the CronJob's Jobs.
func (a *TaskArgs) jobSpec(serviceAccount pulumi.StringInput, labels pulumi.StringMap) *batchv1.JobSpecArgs {
	volumes, mounts := volumesAndMounts(nil, a.Secrets)
	spec := restrictedPodSpec(&a.Pod, serviceAccount, newContainer(a.Task.ShortName, &a.Pod, nil, podresources.Requirements(a.Task.Resources), mounts), volumes)
	spec.RestartPolicy = pulumi.String("Never") // each attempt is a new pod, so that the logs stay
	return &batchv1.JobSpecArgs{
		BackoffLimit:          pulumi.Int(a.Task.Retries),
		ActiveDeadlineSeconds: pulumi.Int(int(a.Task.Deadline.Seconds())),
		Template:              &corev1.PodTemplateSpecArgs{Metadata: &metav1.ObjectMetaArgs{Labels: labels}, Spec: spec},
	}
}
