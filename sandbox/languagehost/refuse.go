package languagehost

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// unsupportedError returns the error for a request that only the real language host supports.
func unsupportedError(request string) error {
	return status.Errorf(codes.Unimplemented,
		"this stand-in for pulumi-language-go does not support %s: it only builds and runs programs. "+
			"Install Pulumi from https://www.pulumi.com/docs/install; the real pulumi-language-go on PATH is then used", request)
}

// RunPlugin returns an error: only the real host runs a plugin or a policy pack from
// its source.
func (h *host) RunPlugin(req *pulumirpc.RunPluginRequest, _ grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]) error {
	return unsupportedError("running the plugin in " + req.GetInfo().GetProgramDirectory() + " from its source")
}

// Link returns an error: only the real host adds a local SDK to the program's go.mod.
func (h *host) Link(context.Context, *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	return nil, unsupportedError("linking a local SDK into a program")
}

// Pack returns an error: only the real host copies a generated SDK.
func (h *host) Pack(context.Context, *pulumirpc.PackRequest) (*pulumirpc.PackResponse, error) {
	return nil, unsupportedError("packing an SDK")
}

// GenerateProgram returns an error: only the real host writes Go from PCL.
func (h *host) GenerateProgram(context.Context, *pulumirpc.GenerateProgramRequest) (*pulumirpc.GenerateProgramResponse, error) {
	return nil, unsupportedError("writing a program")
}

// GenerateProject returns an error: only the real host writes a Go project from PCL.
func (h *host) GenerateProject(context.Context, *pulumirpc.GenerateProjectRequest) (*pulumirpc.GenerateProjectResponse, error) {
	return nil, unsupportedError("writing a project")
}

// GeneratePackage returns an error: only the real host writes a Go SDK from a schema.
func (h *host) GeneratePackage(context.Context, *pulumirpc.GeneratePackageRequest) (*pulumirpc.GeneratePackageResponse, error) {
	return nil, unsupportedError("writing an SDK")
}
