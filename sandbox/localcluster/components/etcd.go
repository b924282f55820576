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

// etcdReady is how long etcd may take to read its log and elect itself leader.
const etcdReady = time.Minute

// serveEtcd runs etcd as a cluster of one member. It does not sync its writes to
// the disk: they survive a kill of the process, and only a power failure could
// lose the last of them.
func serveEtcd(ctx context.Context, l *layout.Layout, _ localcluster.Component) error {
	client := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", l.Ports.EtcdClient)}
	peer := url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", l.Ports.EtcdPeer)}
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
	// etcd keeps these entries of its log in memory, for members that are behind. There is
	// no other member. The defaults are 10,000 and 5,000.
	conf.SnapshotCount, conf.SnapshotCatchUpEntries = 1000, 100
	// The zero value of an embedded etcd would log every request as slow.
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
		return fmt.Errorf("not ready within %s", etcdReady)
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
