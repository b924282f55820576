package main

import (
	"errors"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/network"
	"github.com/progressive-framework/platform/components/network/subnet"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
	"github.com/progressive-framework/platform/release/gate"
	"github.com/progressive-framework/platform/release/signkey"
)

// frontService is the service that users reach.
const frontService = "web"

// services are the platform's services on the cluster.
type services struct {
	front *service.Service
	// byName are all services, by their short names.
	byName map[string]*service.Service
}

// deployServices builds the image of each program and runs it: first the migration of the stores,
// then the services. The services wait for the end of the migration.
func deployServices(ctx *pulumi.Context, stack *config.Stack, base *base, vpc *network.Network, eks *eksCluster, nodes *nodes, stores *stores) (*services, error) {
	shared, err := newEnvironment(ctx, stack, base, eks, stores)
	if err != nil {
		return nil, err
	}
	deployed := &services{byName: map[string]*service.Service{}}
	access := &podAccess{stack: stack, stores: stores, nodes: vpc.Blocks[subnet.PrivateApp]}
	policies := stores.ready()
	ready := nodes.ready
	if stores.postgres != nil {
		task := stack.Migration()
		env, err := shared.forMigration(ctx, stack, eks, stores.mongo)
		if err != nil {
			return nil, err
		}
		pod, err := newPod(ctx, stack, base, eks, task.ShortName, task.ImportPath, scaling.ApplicationTier, env)
		if err != nil {
			return nil, err
		}
		pod.Access = access.migrationAccess()
		migration, err := service.NewTask(ctx, stack.Name()+"-"+task.ShortName, &service.TaskArgs{Pod: *pod, Task: task},
			eks.bothProviders, pulumi.DependsOn(slices.Concat(stores.ready(), nodes.ready)))
		if err != nil {
			return nil, err
		}
		policies, base.workloads = append(policies, migration.Policy), append(base.workloads, migration.Ready...)
		ready = slices.Concat(migration.Ready, nodes.ready)
	}
	exporterPolicies, err := deployDatabaseExporter(ctx, stack, base, eks, shared, access, ready)
	if err != nil {
		return nil, err
	}
	policies = append(policies, exporterPolicies...)
	for _, profile := range stack.Profiles() {
		pod, err := newPod(ctx, stack, base, eks, profile.ShortName, profile.ImportPath, profile.NodeTier, shared.forService(stack, profile))
		if err != nil {
			return nil, err
		}
		pod.Access = access.serviceAccess(profile)
		created, err := service.NewService(ctx, stack.Name()+"-"+profile.ShortName,
			&service.Args{Pod: *pod, Profile: profile, NodePort: nodePort(stack, profile)}, eks.bothProviders, pulumi.DependsOn(ready))
		if err != nil {
			return nil, err
		}
		policies, base.workloads = append(policies, created.Policy), append(base.workloads, created)
		deployed.byName[profile.ShortName] = created
	}
	deployed.front = deployed.byName[frontService]
	return deployed, denyByDefault(ctx, stack, eks, policies)
}

// nodePort returns the port at which a service is open on every node. It returns zero if the service
// is open on no node.
func nodePort(stack *config.Stack, profile scaling.Profile) int {
	switch {
	case stack.Edge.Domain != "": // the load balancer's target groups
		return profile.NodePort
	case profile.ShortName == frontService:
		return stack.FrontDoor.NodePort
	default:
		return 0
	}
}

// newPod builds a program's image and returns its pod: where it runs and with which environment.
func newPod(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, program, importPath string, tier scaling.TierName, env *environment) (*service.Pod, error) {
	reference, err := newImage(ctx, stack, base, program, importPath)
	if err != nil {
		return nil, err
	}
	pod := &service.Pod{Namespace: eks.namespace, Image: reference, Role: env.newRole(base, eks), Settings: env.variables, Secrets: env.files}
	if stack.Cluster.Nodes == config.NodesAutoScaling {
		pod.NodeSelector = map[string]string{scaling.NodeLabel: string(tier)}
	}
	return pod, nil
}

// newImage creates a repository for a Go program, and builds the program's image in it. It returns
// the image's reference by digest. After a promotion it copies the promoted image into this
// repository instead.
func newImage(ctx *pulumi.Context, stack *config.Stack, base *base, program, importPath string) (pulumi.StringOutput, error) {
	name := stack.Name() + "-" + program
	repo, err := repository.NewRepository(ctx, name, &repository.Args{
		RepositoryName: stack.Name() + "/" + program,
		// Without this, a destroy fails if the repository has images. A build creates the images
		// again in seconds.
		ForceDelete: !stack.DeletionProtection,
	}, base.inRegion)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	login := &image.ECRLogin{Region: base.account.Region, Profile: base.account.Profile, RoleARN: base.account.RoleARN}
	if stack.Promoted() {
		promoted, err := image.NewPromoted(ctx, name, &image.PromotedArgs{
			Source:         stack.Release.Source(program),
			Repository:     repo.URL,
			TrustedKeys:    stack.Images.TrustedPEM,
			PredicateTypes: predicateTypes(ctx.Stack(), stack),
			Login:          login,
		})
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		base.images[program] = promoted.Reference
		base.repositories = append(base.repositories, imageRepository{repo, promoted.Tag})
		return promoted.Reference, nil
	}
	built, err := image.NewImage(ctx, name, &image.ImageArgs{
		ImportPath: importPath,
		Repository: repo.URL,
		Platforms:  stack.Images.Platforms,
		SigningKey: signingKey(stack),
		Login:      login,
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	base.images[program] = built.Reference
	base.repositories = append(base.repositories, imageRepository{repo, built.Tag})
	return built.Reference, nil
}

// imageRepository is the repository of an image, and the image's tag.
type imageRepository struct {
	*repository.Repository
	tag pulumi.StringInput
}

// expireImages creates a lifecycle policy for each repository. The policy keeps the image in use and
// the newest images. It is created after the pods run the new images, so that the images of the old
// pods are kept until then.
func expireImages(ctx *pulumi.Context, base *base) error {
	for _, repo := range base.repositories {
		if err := repo.ExpireImages(ctx, repo.tag, base.inRegion, pulumi.DependsOn(base.workloads)); err != nil {
			return err
		}
	}
	return nil
}

// predicateTypes returns the types of the statements that a promoted image must have. pulumiStack is
// the stack's name in Pulumi.
func predicateTypes(pulumiStack string, stack *config.Stack) []string {
	if stack.Release.Draft { // the gates are signed after a preview of the draft
		return gate.BuildPredicateTypes()
	}
	var further []gate.Name
	for _, gateName := range stack.Images.RequiredGates {
		further = append(further, gate.Name(gateName))
	}
	return gate.ReleasePredicateTypes(pulumiStack, further)
}

// refuseDraft returns an error if an update would deploy a release that no gate has judged. In a
// preview it warns, so that a reviewer does not merge a draft.
func refuseDraft(ctx *pulumi.Context, stack *config.Stack) error {
	const reason = "release.draft is true: no gate has judged the release, so it can only be previewed; write it with pf promote without --draft, or remove the draft with git restore"
	switch {
	case !stack.Release.Draft:
		return nil
	case ctx.DryRun():
		return ctx.Log.Warn(reason, nil)
	}
	return errors.New(reason)
}

// signingKey returns what the image provider signs with: the path of a key file or the URI of a KMS
// key. It returns "" if the stack signs no images. The configuration names a file relative to the
// project's folder, but the provider runs in the folder infra.
func signingKey(stack *config.Stack) string {
	if stack.Images.SigningKey == "" || signkey.IsKMS(stack.Images.SigningKey) {
		return stack.Images.SigningKey
	}
	return "../" + stack.Images.SigningKey
}
