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

	"github.com/progressive-framework/platform/sandbox/layout"
	"github.com/progressive-framework/platform/sandbox/localcluster"
)

// etcdStartLimit is how long etcd may take to read its log and elect itself leader.
const etcdStartLimit = time.Minute

// serveEtcd runs etcd as a cluster of one member. etcd does not sync its writes to the
// disk. A kill of the process loses no write, but a power failure may lose the last ones.
func serveEtcd(ctx context.Context, l *layout.Layout, _ localcluster.Component) error {
	clientURL := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", l.Ports.EtcdClient)}
	peerURL := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", l.Ports.EtcdPeer)}
	tls := transport.TLSInfo{
		CertFile:       filepath.Join(l.PKI(), "etcd.crt"),
		KeyFile:        filepath.Join(l.PKI(), "etcd.key"),
		TrustedCAFile:  filepath.Join(l.PKI(), "etcd-ca.crt"),
		ClientCertAuth: true,
	}
	conf := embed.NewConfig()
	conf.Name = "sandbox"
	conf.Dir = l.Etcd()
	conf.UnsafeNoFsync = true
	// etcd keeps these numbers of log entries in memory for members that are behind. This etcd
	// has no other member, so it needs fewer entries than the defaults of 10,000 and 5,000.
	conf.SnapshotCount, conf.SnapshotCatchUpEntries = 1000, 100
	// With the zero value etcd would log every request as slow.
	conf.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	conf.LogLevel = "warn"
	conf.LogOutputs = []string{"stderr"}
	conf.ClientTLSInfo, conf.PeerTLSInfo = tls, tls
	conf.ListenClientUrls, conf.AdvertiseClientUrls = []url.URL{clientURL}, []url.URL{clientURL}
	conf.ListenPeerUrls, conf.AdvertisePeerUrls = []url.URL{peerURL}, []url.URL{peerURL}
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
	case <-time.After(etcdStartLimit):
		return fmt.Errorf("not ready within %s", etcdStartLimit)
	case <-ctx.Done():
		return nil
	}
	select {
	case err := <-server.Err():
		return err
	case <-server.Server.StopNotify():
		return errors.New("stopped by itself")
	case <-ctx.Done():
		return nil
	}
}
