// Command emptypack is a policy pack without rules. It decodes no request, and the response to
// every call is an empty message. So it shows what the protocol alone costs: every pack needs at
// least this CPU time and memory, and makes every preview at least this much longer.
package main

import (
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// maxMessage bounds a message, as in package server.
const maxMessage = 400 << 20

// codec drops every request and encodes every response as an empty message.
type codec struct{}

func (codec) Name() string                         { return proto.Name }
func (codec) Unmarshal(mem.BufferSlice, any) error { return nil }
func (codec) Marshal(any) (mem.BufferSlice, error) { return nil, nil }

// respond handles every method of the protocol, because the server registers none.
func respond(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(nil); err != nil {
		return err
	}
	return stream.SendMsg(nil)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.ForceServerCodecV2(codec{}), grpc.UnknownServiceHandler(respond))
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if err := s.Serve(listener); err != nil {
		os.Exit(1)
	}
}
