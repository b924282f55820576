package nodes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/utils/client"

	"github.com/progressive-framework/platform/sandbox/layout"
)

// leaseSeconds is the duration of a node's lease in seconds. It is the default of the
// kubelet's nodeLeaseDurationSeconds.
const leaseSeconds = 40

// parallelism is the number of workers for each of kwok's queues. It is kwok's default.
const parallelism = 4

// podCIDR is the CIDR block of the simulated pods' addresses. No process listens on these
// addresses.
const podCIDR = "100.64.0.1/16"

// Run simulates the kubelets of the nodes until ctx ends. As soon as kwok watches the API server, Run
// serves /healthz on the port of the kubelet's health check.
func Run(ctx context.Context, l *layout.Layout) error {
	kwok, err := newController(l)
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Ports.KubeletHealth))
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	defer listener.Close()
	if err := kwok.Start(ctx); err != nil {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("simulated nodes: %w", err)
	}
	return nil
}

// newController creates kwok's controllers. kwok's own command is not used, because it
// reads a configuration from the user's home folder. It also serves logs and exec, which
// simulated pods do not have.
func newController(l *layout.Layout) (*controllers.Controller, error) {
	stages, err := loadStages()
	if err != nil {
		return nil, err
	}
	clients, err := client.NewClientset("", l.Kubeconfig())
	if err != nil {
		return nil, err
	}
	restConfig, err := clients.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	restClient, err := rest.RESTClientFor(restConfig)
	if err != nil {
		return nil, err
	}
	typedClient, err := kubernetes.NewForConfig(restConfig)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := clients.ToDynamicClient()
	if err != nil {
		return nil, err
	}
	mapper, err := clients.ToRESTMapper()
	if err != nil {
		return nil, err
	}
	id, err := controllers.Identity()
	if err != nil {
		return nil, err
	}
	return controllers.NewController(controllers.Config{
		Clock:                             clock.RealClock{},
		RESTClient:                        restClient,
		TypedClient:                       typedClient,
		DynamicClient:                     dynamicClient,
		RESTMapper:                        mapper,
		ImpersonatingDynamicClient:        clients.ToImpersonatingDynamicClient(),
		ImpersonatingTypedClient:          clients.ToImpersonatingTypedClient(),
		ManageNodesWithAnnotationSelector: kwokAnnotation + "=" + kwokValue,
		CIDR:                              podCIDR,
		NodeIP:                            "127.0.0.1",
		NodePort:                          l.Ports.Kubelet,
		LocalStages:                       stages,
		PodPlayStageParallelism:           parallelism,
		NodePlayStageParallelism:          parallelism,
		NodeLeaseParallelism:              parallelism,
		NodeLeaseDurationSeconds:          leaseSeconds,
		PodsOnNodeSyncParallelism:         1,
		EnablePodsOnNodeSyncListPager:     true,
		EnablePodsOnNodeSyncStreamWatch:   true,
		ID:                                id,
	})
}

// loadStages returns kwok's default stages. A stage is a change of a node's or a pod's
// status that kwok simulates.
func loadStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, document := range []string{
		fast.DefaultNodeInit, heartbeat.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete,
	} {
		stage, err := config.UnmarshalWithType[*internalversion.Stage](document)
		if err != nil {
			return nil, fmt.Errorf("stage of kwok: %w", err)
		}
		stages[stage.Spec.ResourceRef] = append(stages[stage.Spec.ResourceRef], stage)
	}
	return stages, nil
}
