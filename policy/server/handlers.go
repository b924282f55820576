package server

import (
	"context"
	"fmt"
	"slices"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// newServer returns a server that replaces the generated handlers of Remediate and AnalyzeStack.
// Analyze has already decoded the properties of every resource, and both generated handlers decode
// them again. In AnalyzeStack all resources are decoded together, and the decoded form needs ten
// times the memory of the message.
func newServer(a *Analyzer) *grpc.Server {
	service := pulumirpc.Analyzer_ServiceDesc
	service.Methods = slices.Clone(service.Methods)
	for i := range service.Methods {
		switch method := &service.Methods[i]; method.MethodName {
		case "Remediate":
			method.Handler = func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				// No rule changes a resource, so the response is always empty.
				var request encodedRequest
				return &pulumirpc.RemediateResponse{}, decode(&request)
			}
		case "AnalyzeStack":
			method.Handler = func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var request encodedRequest
				if err := decode(&request); err != nil {
					return nil, err
				}
				return a.analyzeStack(request)
			}
		}
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.ForceServerCodecV2(codec{encoding.GetCodecV2(grpcproto.Name)}))
	s.RegisterService(&service, a)
	return s
}

// encodedRequest is a request that is not decoded.
type encodedRequest []byte

// codec is gRPC's codec for Protocol Buffers with two differences. It does not decode an
// encodedRequest, and its buffers are as large as the message. gRPC's own buffers have 1 MiB for each
// message above 32 KiB.
type codec struct{ encoding.CodecV2 }

// Unmarshal decodes a message. It only copies the bytes of an encodedRequest, because gRPC reuses
// its buffers.
func (c codec) Unmarshal(data mem.BufferSlice, request any) error {
	if encoded, ok := request.(*encodedRequest); ok {
		*encoded = data.Materialize()
		return nil
	}
	message, ok := request.(proto.Message)
	if !ok {
		return fmt.Errorf("request of type %T: must be a Protocol Buffers message", request)
	}
	buffer := data.MaterializeToBuffer(mem.NopBufferPool{})
	defer buffer.Free()
	return proto.Unmarshal(buffer.ReadOnlyData(), message)
}

// resourcesField is the number of the field resources in the message AnalyzeStackRequest
// (analyzer.proto of Pulumi's SDK).
const resourcesField = 1

// visitResources calls visit with each resource of an encoded AnalyzeStackRequest.
func visitResources(request []byte, visit func(*pulumirpc.AnalyzerResource)) error {
	for len(request) > 0 {
		field, kind, length := protowire.ConsumeTag(request)
		if length < 0 {
			return fmt.Errorf("AnalyzeStackRequest: %w", protowire.ParseError(length))
		}
		request = request[length:]
		length = protowire.ConsumeFieldValue(field, kind, request)
		if length < 0 {
			return fmt.Errorf("AnalyzeStackRequest: %w", protowire.ParseError(length))
		}
		if field == resourcesField && kind == protowire.BytesType {
			encoded, _ := protowire.ConsumeBytes(request)
			r := &pulumirpc.AnalyzerResource{}
			if err := proto.Unmarshal(encoded, r); err != nil {
				return fmt.Errorf("AnalyzeStackRequest: %w", err)
			}
			visit(r)
		}
		request = request[length:]
	}
	return nil
}
