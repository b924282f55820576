package components

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/progressive-framework/platform/sandbox/cluster"
	"github.com/progressive-framework/platform/sandbox/home"
)

// etcdReady is how long etcd may take to read its log and elect itself.
const etcdReady = time.Minute

// serveEtcd runs etcd as a cluster of one. It does not wait for the disk: what
// is written survives the end of the process, in whatever way, and only a
// machine that loses its power could lose the last moments.
func serveEtcd(ctx context.Context, h *home.Home, _ cluster.Component) error {
	client := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", h.Ports.EtcdClient)}
	peer := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", h.Ports.EtcdPeer)}
	tls := transport.TLSInfo{
		CertFile:       filepath.Join(h.PKI(), "etcd.crt"),
		KeyFile:        filepath.Join(h.PKI(), "etcd.key"),
		TrustedCAFile:  filepath.Join(h.PKI(), "etcd-ca.crt"),
		ClientCertAuth: true,
	}
	conf := embed.NewConfig()
	conf.Name = "sandbox"
	conf.Dir = h.Etcd()
	conf.UnsafeNoFsync = true
	// An embedded etcd has no limit of its own and would log every request.
	conf.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	conf.LogLevel = "warn"
	conf.LogOutputs = []string{"stderr"}
	conf.ClientTLSInfo, conf.PeerTLSInfo = tls, tls
	conf.ListenClientUrls, conf.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	conf.ListenPeerUrls, conf.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	conf.InitialCluster = conf.InitialClusterFromName(conf.Name)
	server, err := embed.StartEtcd(conf)
	if err != nil {
		return err
	}
	defer server.Close()
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		return err
	case <-time.After(etcdReady):
		return fmt.Errorf("it was not ready within %s", etcdReady)
	case <-ctx.Done():
		return nil
	}
	select {
	case err := <-server.Err():
		return err
	case <-server.Server.StopNotify():
		return errors.New("it stopped by itself")
	case <-ctx.Done():
		return nil
	}
}
