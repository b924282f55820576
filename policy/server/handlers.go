package server

import (
	"context"
	"fmt"
	"slices"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// register registers the service with handlers of our own for Remediate and AnalyzeStack. The
// generated handlers would decode the properties of every resource two more times, and all of
// them at once. The decoded form needs ten times the memory of the message.
func register(s *grpc.Server, a *Analyzer) {
	service := pulumirpc.Analyzer_ServiceDesc
	service.Methods = slices.Clone(service.Methods)
	for i := range service.Methods {
		switch method := &service.Methods[i]; method.MethodName {
		case "Remediate":
			method.Handler = func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				// A resource has exactly the properties that the program gives it.
				_, err := undecoded(decode)
				return &pulumirpc.RemediateResponse{}, err
			}
		case "AnalyzeStack":
			method.Handler = func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				request, err := undecoded(decode)
				if err != nil {
					return nil, err
				}
				return a.analyzeStack(request)
			}
		}
	}
	s.RegisterService(&service, a)
}

// undecoded returns the bytes of a request. A message without fields keeps all of them.
func undecoded(decode func(any) error) ([]byte, error) {
	var message emptypb.Empty
	err := decode(&message)
	return message.ProtoReflect().GetUnknown(), err
}

// resourcesField is the number of the field resources in the message AnalyzeStackRequest
// (analyzer.proto of Pulumi's SDK).
const resourcesField = 1

// eachResource calls visit with each resource of an undecoded AnalyzeStackRequest.
func eachResource(request []byte, visit func(*pulumirpc.AnalyzerResource)) error {
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
