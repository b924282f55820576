package localcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	criapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// runtimeClient is a client of containerd. It uses the same interface as the kubelet (CRI).
type runtimeClient struct {
	criapi.RuntimeServiceClient
	conn *grpc.ClientConn
}

// dialRuntime connects to the socket of containerd. It returns an error if containerd does not
// listen on the socket.
func dialRuntime(l *layout.Layout) (*runtimeClient, error) {
	socket := nodePaths{l}.containerdSocket()
	// If no process listens on the socket, the gRPC client would log and retry. This
	// connection returns the error immediately.
	probeConn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	probeConn.Close()
	conn, err := grpc.NewClient("unix://"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("containerd: %w", err)
	}
	return &runtimeClient{criapi.NewRuntimeServiceClient(conn), conn}, nil
}

func (r *runtimeClient) Close() { _ = r.conn.Close() }

// podGrace is how long containers may take to end after SIGTERM. A database that is killed
// earlier has to recover at its next start.
const podGrace = 5 * time.Second

// removeLimit is how long the removal of all pods may take, including podGrace. After
// removeLimit, sweep removes the pods that remain.
const removeLimit = 40 * time.Second

// removePods stops every container and removes every pod with its network. If it fails, sweep
// removes the pods that remain.
func removePods(ctx context.Context, l *layout.Layout) error {
	ctx, cancel := context.WithTimeout(ctx, removeLimit)
	defer cancel()
	r, err := dialRuntime(l)
	if err != nil {
		return err
	}
	defer r.Close()
	containers, err := r.ListContainers(ctx, &criapi.ListContainersRequest{Filter: &criapi.ContainerFilter{
		State: &criapi.ContainerStateValue{State: criapi.ContainerState_CONTAINER_RUNNING}}})
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	stopErr := runParallel(containers.GetContainers(), func(c *criapi.Container) error {
		if _, err := r.StopContainer(ctx, &criapi.StopContainerRequest{ContainerId: c.GetId(), Timeout: int64(podGrace / time.Second)}); err != nil {
			return fmt.Errorf("stop container %s: %w", c.GetMetadata().GetName(), err)
		}
		return nil
	})
	pods, listErr := r.ListPodSandbox(ctx, &criapi.ListPodSandboxRequest{})
	if listErr != nil {
		return errors.Join(stopErr, fmt.Errorf("list pods: %w", listErr))
	}
	return errors.Join(stopErr, runParallel(pods.GetItems(), func(p *criapi.PodSandbox) error {
		if _, err := r.StopPodSandbox(ctx, &criapi.StopPodSandboxRequest{PodSandboxId: p.GetId()}); err != nil {
			return fmt.Errorf("stop pod %s: %w", p.GetMetadata().GetName(), err)
		}
		if _, err := r.RemovePodSandbox(ctx, &criapi.RemovePodSandboxRequest{PodSandboxId: p.GetId()}); err != nil {
			return fmt.Errorf("remove pod %s: %w", p.GetMetadata().GetName(), err)
		}
		return nil
	}))
}

// runParallel calls do for all items in parallel and joins the errors.
func runParallel[T any](items []T, do func(T) error) error {
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = do(item)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}
