package componenttest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/progressive-framework/platform/components/account"
	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/image/ociplatform"
	"github.com/progressive-framework/platform/components/key"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/secretfiles"
	"github.com/progressive-framework/platform/components/service"
)

// podArgs returns the arguments for a pod of the service MCA.
func podArgs() service.Pod {
	return service.Pod{
		Namespace: pulumi.String("platform"), Image: pulumi.String("mca" + digest),
		Settings: pulumi.StringMap{"REDIS_HOST": pulumi.String("redis")},
	}
}

func newService(change func(*service.Args)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		args := &service.Args{Pod: podArgs(), Profile: scaling.MCA()}
		change(args)
		_, err := service.NewService(ctx, "app-mca", args)
		return err
	}
}

func newTask(change func(*service.TaskArgs)) program {
	return func(ctx *pulumi.Context, _ *account.Account) error {
		args := &service.TaskArgs{Pod: podArgs(), Task: scaling.MigrationTask()}
		change(args)
		_, err := service.NewTask(ctx, "app-migrate", args)
		return err
	}
}

// Types of resources.
const (
	k8sDeployment          = "kubernetes:apps/v1:Deployment"
	k8sService             = "kubernetes:core/v1:Service"
	podIdentityAssociation = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
)

func TestServiceIsRestrictedAndRollsWithoutDowntime(t *testing.T) {
	d := deploy(t, newService(func(*service.Args) {}))
	pods := d.find(t, k8sDeployment)
	requireRestricted(t, pods, "spec.template.spec", 65532)
	pods.requireInputs(t, map[string]any{
		"metadata.name": "mca", "spec.replicas": 3,
		"spec.strategy.rollingUpdate.maxUnavailable": 0, "spec.strategy.rollingUpdate.maxSurge": 1,
		"spec.template.spec.automountServiceAccountToken": false, "spec.template.spec.containers[0].image": "mca" + digest,
		"spec.template.spec.containers[0].resources.requests.cpu":                  "300m",
		`spec.template.spec.containers[0].resources.requests["ephemeral-storage"]`: "64Mi",
		`spec.template.spec.containers[0].resources.limits["ephemeral-storage"]`:   "256Mi",
		"spec.template.spec.containers[0].readinessProbe.httpGet.path":             "/health/ready",
		"spec.template.spec.serviceAccountName":                                    "mca",
	})
	pods.requireInputs(t, map[string]any{"spec.template.spec.containers[0].terminationMessagePolicy": "FallbackToLogsOnError"})
	// No probe has an initial delay, so a new pod becomes ready as soon as it can.
	pods.requireInputs(t, map[string]any{
		"spec.template.spec.containers[0].startupProbe": map[string]any{
			"httpGet": map[string]any{"path": "/health/coordination", "port": "http"}, "periodSeconds": 1.0, "timeoutSeconds": 1.0, "failureThreshold": 50.0,
		},
		"spec.template.spec.containers[0].readinessProbe.initialDelaySeconds": nil,
		"spec.template.spec.containers[0].livenessProbe.initialDelaySeconds":  nil,
	})
	d.find(t, k8sService).requireInputs(t, map[string]any{"spec.type": "ClusterIP", "spec.ports[0].port": 80, "spec.ports[0].nodePort": nil})
	require.Empty(t, d.ofType(podIdentityAssociation), "a service without a role has no permissions")
	d.find(t, "kubernetes:core/v1:ServiceAccount").requireInputs(t, map[string]any{"automountServiceAccountToken": false})

	withNodePort := deploy(t, newService(func(a *service.Args) { a.NodePort = 30800 })).find(t, k8sService)
	withNodePort.requireInputs(t, map[string]any{"spec.type": "NodePort", "spec.ports[0].nodePort": 30800})
}

// A drain evicts one pod at a time, also if the service has only one pod. The scheduler spreads
// the pods over zones and nodes, but it also schedules pods that it can't spread.
func TestServicePodsAreSpreadAndEvictedOneAtATime(t *testing.T) {
	d := deploy(t, newService(func(*service.Args) {}))
	pods := d.find(t, k8sDeployment)
	labels := pods.input("spec.selector.matchLabels")
	d.find(t, "kubernetes:policy/v1:PodDisruptionBudget").requireInputs(t, map[string]any{
		"metadata.name": "mca", "spec.unhealthyPodEvictionPolicy": "AlwaysAllow", "spec.maxUnavailable": 1, "spec.minAvailable": nil, "spec.selector.matchLabels": labels,
	})
	for i, key := range []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"} {
		constraint := fmt.Sprintf("spec.template.spec.topologySpreadConstraints[%d].", i)
		pods.requireInputs(t, map[string]any{
			constraint + "topologyKey": key, constraint + "maxSkew": 1, constraint + "whenUnsatisfiable": "ScheduleAnyway", constraint + "labelSelector.matchLabels": labels,
		})
	}
}

// A Deployment with a number of replicas would reset the number that the autoscaler has set.
func TestAutoscaledServiceHasNoNumberOfReplicas(t *testing.T) {
	d := deploy(t, newService(func(a *service.Args) { a.Profile.Autoscaled = true }))
	require.Nil(t, d.find(t, k8sDeployment).input("spec.replicas"))
}

// The pod gets a store's secret as a file. Only the pod's role may read the secret.
func TestOnlyTheRoleOfThePodReadsTheMountedSecret(t *testing.T) {
	const secretARN, keyARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1-AbCdEf", "arn:key"
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		class, err := secretfiles.NewClass(ctx, "app-postgres", &secretfiles.Args{
			Account: stackAccount, ClassName: "postgres", Namespace: pulumi.String("platform"),
			SecretARN: pulumi.String(secretARN), KeyARN: pulumi.String(keyARN), Field: "password",
		})
		if err != nil {
			return err
		}
		args := &service.Args{Pod: podArgs(), Profile: scaling.MCA()}
		args.Secrets = []service.SecretFiles{{Name: "postgres", Class: class, MountPath: "/etc/postgres"}}
		args.Role = &service.Role{Account: stackAccount, ClusterName: pulumi.String("app"), Statements: secretfiles.Permissions(stackAccount, class)}
		_, err = service.NewService(ctx, "app-mca", args)
		return err
	})
	d.find(t, "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass").requireInputs(t, map[string]any{
		"spec.provider": "aws", "spec.parameters.region": region, "spec.parameters.usePodIdentity": "true",
	})
	pods := d.find(t, k8sDeployment)
	pods.requireInputs(t, map[string]any{
		"spec.template.spec.volumes[0].csi.driver": "secrets-store.csi.k8s.io", "spec.template.spec.volumes[0].csi.readOnly": true,
		"spec.template.spec.volumes[0].csi.volumeAttributes.secretProviderClass": "postgres",
		"spec.template.spec.containers[0].volumeMounts[0].readOnly":              true,
		"spec.template.spec.containers[0].volumeMounts[0].mountPath":             "/etc/postgres",
	})
	d.find(t, podIdentityAssociation).requireInputs(t, map[string]any{"serviceAccount": "mca", "namespace": "platform", "clusterName": "app"})
	pods.requireDependsOn(t, d.find(t, podIdentityAssociation), d.find(t, rolePolicy))
	var policy struct {
		Statement []struct {
			Sid              string
			Action, Resource []string
			Condition        map[string]map[string][]string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(d.find(t, rolePolicy).input("policy").(string)), &policy))
	require.Len(t, policy.Statement, 2)
	require.Equal(t, []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}, policy.Statement[0].Action)
	require.Equal(t, []string{secretARN}, policy.Statement[0].Resource)
	require.Equal(t, []string{"kms:Decrypt"}, policy.Statement[1].Action)
	require.Equal(t, []string{keyARN}, policy.Statement[1].Resource)
	require.Equal(t, []string{"secretsmanager.us-east-1.amazonaws.com"}, policy.Statement[1].Condition["StringEquals"]["kms:ViaService"])
	trust := d.find(t, "aws:iam/role:Role").input("assumeRolePolicy")
	require.Contains(t, trust, "pods.eks.amazonaws.com")
	require.Contains(t, trust, `"mca"`)
}

// The parameter "objects" has the format that the AWS provider of the Secrets Store CSI driver
// reads (aws/secrets-store-csi-driver-provider-aws, README, "SecretProviderClass options").
func TestSecretProviderClassListsTheFilesOfTheSecret(t *testing.T) {
	const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!db-1-AbCdEf"
	for _, tc := range []struct{ reason, field, want string }{
		{"a secret with the password as its whole value", "", `[{"objectName":"` + arn + `","objectAlias":"password"}]`},
		{"a JSON secret of RDS or DocumentDB: the whole value is a second file", "password",
			`[{"objectName":"` + arn + `","objectAlias":"secret.json","jmesPath":[{"path":"password","objectAlias":"password"}]}]`},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
				_, err := secretfiles.NewClass(ctx, "app", &secretfiles.Args{
					Account: stackAccount, ClassName: "postgres", Namespace: pulumi.String("platform"), SecretARN: pulumi.String(arn), Field: tc.field,
				})
				return err
			})
			require.JSONEq(t, tc.want, d.find(t, "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass").input("spec.parameters.objects").(string))
		})
	}
}

func TestTaskRunsAtOnceAndOnItsSchedule(t *testing.T) {
	d := deploy(t, newTask(func(*service.TaskArgs) {}))
	job := d.find(t, "kubernetes:batch/v1:Job")
	requireRestricted(t, job, "spec.template.spec", 65532)
	job.requireInputs(t, map[string]any{
		"metadata.name": nil, "spec.backoffLimit": 6, "spec.activeDeadlineSeconds": 2400, "spec.template.spec.restartPolicy": "Never",
		// Pulumi replaces a failed Job. Pulumi's timeout is longer than the Job's deadline. So the
		// update fails with the Job's failure, and not with a timeout.
		`metadata.annotations["pulumi.com/replaceUnready"]`: "true", `metadata.annotations["pulumi.com/timeoutSeconds"]`: "2700",
	})
	d.find(t, "kubernetes:batch/v1:CronJob").requireInputs(t, map[string]any{
		"spec.startingDeadlineSeconds": 3600, "spec.schedule": "17 3 * * *", "spec.timeZone": "Etc/UTC", "spec.concurrencyPolicy": "Forbid",
	})
	withoutSchedule := deploy(t, newTask(func(a *service.TaskArgs) { a.Task.Schedule = "" }))
	require.Empty(t, withoutSchedule.ofType("kubernetes:batch/v1:CronJob"))
}

func TestRepositoryHasImmutableTagsAndIsNotForceDeleted(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := repository.NewRepository(ctx, "app-mca", &repository.Args{RepositoryName: "app/mca"})
		return err
	})
	d.find(t, "aws:ecr/repository:Repository").requireInputs(t, map[string]any{
		"name": "app/mca", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration.scanOnPush": true,
		"encryptionConfigurations[0].encryptionType": "KMS", "forceDelete": false,
	})
}

// A repository without a lifecycle policy would grow without limit. The policy keeps the image
// that the pods run. So the policy changes only after the pods.
func TestRepositoryExpiresOldImagesAfterThePodsChange(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, stackAccount *account.Account) error {
		repo, err := repository.NewRepository(ctx, "app-mca", &repository.Args{RepositoryName: "app/mca", ForceDelete: true})
		if err != nil {
			return err
		}
		dependency, err := key.NewKey(ctx, "pods", &key.Args{Account: stackAccount, Description: "any resource"}) // represents the pods
		if err != nil {
			return err
		}
		return repo.ExpireImages(ctx, pulumi.String("prod-app-mca-0123456789ab"), pulumi.DependsOn([]pulumi.Resource{dependency}))
	})
	d.find(t, "aws:ecr/repository:Repository").requireInputs(t, map[string]any{"forceDelete": true})
	policy := d.find(t, "aws:ecr/lifecyclePolicy:LifecyclePolicy")
	policy.requireDependsOn(t, d.find(t, "aws:kms/key:Key"))
	policy.requireInputs(t, map[string]any{"repository": "app/mca"})
	require.Contains(t, policy.input("policy"), `"tagPrefixList":["prod-app-mca-0123456789ab"]`)
	require.Equal(t, d.find(t, "progressive:repository:Repository").URN, policy.Parent)
}

func TestImageHasOnlyTheInputsThatAreSet(t *testing.T) {
	d := deploy(t, func(ctx *pulumi.Context, _ *account.Account) error {
		_, err := image.NewImage(ctx, "mca", &image.ImageArgs{
			ImportPath: "example.com/platform/mca", Repository: pulumi.String("example.com/team/service"),
			Login: &image.ECRLogin{Region: "us-east-1", RoleARN: "arn:aws:iam::123456789012:role/deployer"},
		})
		return err
	})
	imageResource := d.find(t, image.Token)
	imageResource.requireInputs(t, map[string]any{
		"importPath": "example.com/platform/mca", "login.region": "us-east-1", "login.roleArn": "arn:aws:iam::123456789012:role/deployer", "login.profile": nil,
		"platforms": nil, "base": nil, "labels": nil, "dir": nil,
	})
	require.False(t, imageResource.Inputs.ContainsSecrets(), "the login has no password")

	twoPlatforms := deploy(t, newProgram(image.NewImage, fixedArgs(&image.ImageArgs{
		ImportPath: "example.com/x", Repository: pulumi.String("example.com/x"), Platforms: []ociplatform.Platform{ociplatform.AMD64, ociplatform.ARM64},
	})))
	twoPlatforms.find(t, image.Token).requireInputs(t, map[string]any{"platforms": []any{"linux/amd64", "linux/arm64"}})
}
