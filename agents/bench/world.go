package main

import (
	"context"
	"errors"
	"net/url"
	"os"

	"github.com/progressive-framework/platform/agents/internal/fleet"
	"github.com/progressive-framework/platform/agents/internal/load/traffic"
)

// user is the document's.
const user = "test-user-123"

// maxClients is how many connections a client keeps open.
const maxClients = 512

// world is every process that a measurement needs.
type world struct {
	*fleet.Fleet
	fleet.Platform
	echo    fleet.Process
	stubbed fleet.Process // an mca whose agents answer at once
	least   fleet.Process // the floor of that
	barest  fleet.Process // and the floor of any client
	token   string
}

func newWorld(ctx context.Context) (_ *world, err error) {
	w := &world{}
	if w.Fleet, err = fleet.New(ctx, "web", "mca", "npa", "wpa"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.token, err = w.Fleet.Token(user); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	oneCore := "GOMAXPROCS=1"
	if w.echo, err = w.Run(ctx, self, []string{oneCore}, "-serve=echo"); err != nil {
		return nil, err
	}
	stub, err := w.Run(ctx, self, []string{oneCore}, "-serve=stub")
	if err != nil {
		return nil, err
	}
	for name, floor := range map[string]*fleet.Process{"least": &w.least, "barest": &w.barest} {
		if *floor, err = w.Run(ctx, self, []string{oneCore, "STUB_URL=" + stub.URL}, "-serve="+name); err != nil {
			return nil, err
		}
	}
	if w.stubbed, err = w.Start(ctx, "mca", oneCore, "NPA_URL="+stub.URL, "WPA_URL="+stub.URL); err != nil {
		return nil, err
	}
	w.Platform, err = w.StartPlatform(ctx, oneCore, "USER_RATE=1000000", "USER_BURST=1000000", "WS_CONNECTIONS_PER_USER=10000")
	return w, err
}

func (w *world) client(p fleet.Process) *traffic.Client {
	base, _ := url.Parse(p.URL) // of an address that a server has told
	return traffic.NewClient(base, user, w.token, maxClients, false)
}
