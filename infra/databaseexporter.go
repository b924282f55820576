package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/progressive-framework/platform/components/controller"
	"github.com/progressive-framework/platform/components/databaseexporter"
	"github.com/progressive-framework/platform/components/postgres"
	"github.com/progressive-framework/platform/components/scaling"
	"github.com/progressive-framework/platform/infra/config"
)

// deployDatabaseExporter runs the exporter of PostgreSQL's metrics and returns the network policy
// of its pods. It returns nil if the stack has no Prometheus or no PostgreSQL. The exporter is
// created after the resources in dependencies, because the migration creates the exporter's
// database role.
func deployDatabaseExporter(ctx *pulumi.Context, stack *config.Stack, base *base, eks *eksCluster, shared *environment, access *podAccess, dependencies []pulumi.Resource) ([]pulumi.Resource, error) {
	peer := prometheusPeer(stack)
	if peer == nil || shared.logins == nil {
		return nil, nil
	}
	image, err := newImage(ctx, stack, base, config.DatabaseExporterImage, databaseexporter.Program)
	if err != nil {
		return nil, err
	}
	env := &environment{variables: pulumi.StringMap{}}
	shared.logins.addLogin(env, postgres.Exporter)
	delete(env.variables, "DATABASE_MAX_CONNECTIONS") // the exporter has one connection
	var files []databaseexporter.Files
	for _, f := range env.files {
		files = append(files, databaseexporter.Files{Name: f.Name, SecretName: f.SecretName, MountPath: f.MountPath})
	}
	for _, f := range shared.files {
		if f.Name == authorities {
			files = append(files, databaseexporter.Files{Name: f.Name, SecretName: f.SecretName, MountPath: f.MountPath})
		}
	}
	exporter, err := databaseexporter.NewExporter(ctx, stack.Name()+"-postgres-exporter", &databaseexporter.Args{
		Account:      base.account,
		ClusterName:  eks.Name,
		Namespace:    controller.Namespace{Name: stack.Name(), Created: eks.namespace},
		Image:        image,
		Settings:     env.variables,
		Files:        files,
		Statements:   env.statements,
		Egress:       append(access.egressRules(access.stores.postgres), access.tokenRules()...),
		Reader:       *peer,
		RequestShare: scaling.Percent(stack.Cluster.RequestPercent),
	}, eks.bothProviders, pulumi.DependsOn(dependencies))
	if err != nil {
		return nil, err
	}
	base.workloads = append(base.workloads, exporter)
	return []pulumi.Resource{exporter.Policy}, nil
}
