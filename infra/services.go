package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/image"
	"github.com/progressive-framework/platform/components/repository"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/components/service"
	"github.com/progressive-framework/platform/infra/config"
)

// frontService is the service that the platform's users reach.
const frontService = "mca"

// services is what runs on the cluster.
type services struct {
	// images are references by digest, by the services' short names.
	images pulumi.StringMap
	front  *service.Service
}

// layServices builds each service's image and runs it by digest.
func (p *platform) layServices() error {
	p.services.images = pulumi.StringMap{}
	told, err := p.settings()
	if err != nil {
		return err
	}
	for _, profile := range p.stack.Profiles() {
		built, err := p.image(profile.Short, profile.ImportPath)
		if err != nil {
			return err
		}
		p.services.images[profile.Short] = built
		made, err := p.service(profile, built, told)
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

func (p *platform) service(profile scaling.Profile, image pulumi.StringInput, told *settings) (*service.Service, error) {
	args := &service.Args{Profile: profile, Namespace: p.namespace, Image: image, Role: told.role, Settings: told.env, Secrets: told.files}
	switch {
	case p.loadBalancer != nil:
		args.NodePort = profile.NodePort
	case profile.Short == frontService:
		args.NodePort = p.stack.FrontDoor.NodePort
	}
	if p.stack.Cluster.Nodes == config.NodesAutoScaling {
		args.NodeSelector = map[string]string{scaling.NodeLabel: string(profile.NodeTier)}
	}
	return service.NewService(p.ctx, p.name+"-"+profile.Short, args, p.both, pulumi.DependsOn(p.nodes))
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
