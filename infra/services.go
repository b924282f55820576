package main

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// frontService is the service that the platform's users reach.
const frontService = "web"

// services is what runs on the cluster.
type services struct {
	// images are references by digest, by the services' short names.
	images pulumi.StringMap
	front  *service.Service
}

// layServices builds each program's image and runs it by digest: first the one
// that brings the stores to their schema, then those that read them.
func (p *platform) layServices() error {
	p.services.images = pulumi.StringMap{}
	told, err := p.settings()
	if err != nil {
		return err
	}
	migrated, err := p.migrate(told)
	if err != nil {
		return err
	}
	for _, profile := range p.stack.Profiles() {
		made, err := p.service(profile, told, migrated)
		if err != nil {
			return err
		}
		if profile.Short == frontService {
			p.services.front = made
		}
	}
	return nil
}

// image builds a Go program into an image, and pushes it to a repository of its
// own.
func (p *platform) image(short, importPath string) (pulumi.StringOutput, error) {
	name := p.name + "-" + short
	repo, err := repository.NewRepository(p.ctx, name, &repository.Args{
		RepositoryName: p.name + "/" + short,
		ForceDelete:    p.stack.Repository.ForceDelete,
	}, p.aws)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	login := repository.Login(p.ctx, p.aws)
	built, err := image.NewImage(p.ctx, name, &image.ImageArgs{
		ImportPath:  importPath,
		Repository:  repo.URL,
		Platforms:   p.stack.Images.Platforms,
		Credentials: &image.Credentials{Username: login.Username, Password: login.Password},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return built.Reference, nil
}

// migrate is what must have run before a service starts.
func (p *platform) migrate(told *settings) ([]pulumi.Resource, error) {
	if p.stores.postgres == nil {
		return nil, nil
	}
	task := p.stack.Migration()
	pod, err := p.pod(task.Short, task.ImportPath, scaling.ApplicationTier, p.documents(told))
	if err != nil {
		return nil, err
	}
	needed := slices.Concat(p.stores.resources(), p.nodes)
	made, err := service.NewTask(p.ctx, p.name+"-"+task.Short, &service.TaskArgs{Pod: *pod, Task: task}, p.both, pulumi.DependsOn(needed))
	return []pulumi.Resource{made}, err
}

func (p *platform) service(profile scaling.Profile, told *settings, needed []pulumi.Resource) (*service.Service, error) {
	pod, err := p.pod(profile.Short, profile.ImportPath, profile.NodeTier, told.of(profile, p))
	if err != nil {
		return nil, err
	}
	args := &service.Args{Pod: *pod, Profile: profile}
	switch {
	case p.loadBalancer != nil:
		args.NodePort = profile.NodePort
	case profile.Short == frontService:
		args.NodePort = p.stack.FrontDoor.NodePort
	}
	return service.NewService(p.ctx, p.name+"-"+profile.Short, args, p.both, pulumi.DependsOn(slices.Concat(needed, p.nodes)))
}

// pod builds the program's image and says where it runs.
func (p *platform) pod(short, importPath string, tier scaling.TierName, told *settings) (*service.Pod, error) {
	built, err := p.image(short, importPath)
	if err != nil {
		return nil, err
	}
	p.services.images[short] = built
	pod := &service.Pod{Namespace: p.namespace, Image: built, Role: told.role, Settings: told.env, Secrets: told.files}
	if p.stack.Cluster.Nodes == config.NodesAutoScaling {
		pod.NodeSelector = map[string]string{scaling.NodeLabel: string(tier)}
	}
	return pod, nil
}

// url is where the platform answers: its domain, or a node port on the machine
// itself where one is open, else the service's name inside the cluster.
func (p *platform) url() pulumi.StringOutput {
	switch {
	case p.cdn != nil:
		return p.cdn.URL
	case p.stack.FrontDoor.NodePort != 0:
		return pulumi.Sprintf("http://127.0.0.1:%d", p.stack.FrontDoor.NodePort)
	default:
		return pulumi.Sprintf("http://%s", p.services.front.Host)
	}
}
