package cache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

const (
	// channel is the Redis channel of the events. It is a sharded channel, so that the
	// cluster bus does not send each event to every node.
	channel = "cache:events"
	// maxMessageBytes bounds one event.
	maxMessageBytes = 64 << 10
	// resubscribeDelay is the pause before a new subscription after a lost one.
	resubscribeDelay = 100 * time.Millisecond
)

// message is one event for the other processes.
type message struct {
	Event  Event    `json:"event"`
	IDs    []string `json:"ids,omitempty"`
	Origin string   `json:"origin"`
	// DeletedPrefixes are the prefixes that the sender has deleted in Redis.
	// Receivers delete the affected prefixes that are not in this list.
	DeletedPrefixes []string `json:"done,omitempty"`
}

// newOrigin returns a random text that identifies this process.
func newOrigin() string { return rand.Text() }

// publish sends a message to all processes. Without Redis it does nothing.
func (r *redis) publish(m message) error {
	encoded, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(encoded) > maxMessageBytes {
		return fmt.Errorf("message of event %s has %d bytes, must have at most %d: publish fewer ids", m.Event, len(encoded), maxMessageBytes)
	}
	client, err := r.connectedClient()
	if err != nil {
		return ignoreNoRedis(err)
	}
	_, err = r.do(client, client.B().Spublish().Channel(channel).Message(string(encoded)).Build())
	return err
}

// subscribe receives the other processes' events until ctx ends. Events may be
// lost without a subscription. So each new subscription drops the whole local
// tier.
func (c *Cache) subscribe(ctx context.Context, client rueidis.Client) {
	for ctx.Err() == nil {
		subCtx := rueidis.WithOnSubscriptionHook(ctx, func(subscription rueidis.PubSubSubscription) {
			if subscription.Kind == "ssubscribe" {
				c.dropLocal()
				c.subscribed.Store(true)
			}
		})
		err := client.Receive(subCtx, client.B().Ssubscribe().Channel(channel).Build(), func(m rueidis.PubSubMessage) {
			c.receive(ctx, m.Message)
		})
		c.subscribed.Store(false)
		if ctx.Err() != nil {
			return
		}
		c.log.WarnContext(ctx, "cache event subscription lost; subscribing again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(resubscribeDelay):
		}
	}
}

// dropLocal removes all values from the local tier.
func (c *Cache) dropLocal() {
	for _, n := range *c.namespaces.Load() {
		n.drop(nil)
	}
}

// receive handles a message on the channel: it invalidates the values that the message names.
func (c *Cache) receive(ctx context.Context, encoded string) {
	var m message
	if len(encoded) > maxMessageBytes || json.Unmarshal([]byte(encoded), &m) != nil {
		c.log.Warn("cache event has an unknown format", "bytes", len(encoded))
		return
	}
	if m.Origin == c.origin {
		return // Publish has invalidated the values of this process
	}
	for _, n := range c.affectedNamespaces(m.Event) {
		// The sender has already deleted this whole prefix in Redis. Single values are
		// deleted again: a load in this process may have written an old value after the
		// sender's deletion.
		if len(m.IDs) == 0 && slices.Contains(m.DeletedPrefixes, n.prefix()) {
			n.drop(nil)
			continue
		}
		if err := c.invalidate(ctx, n, m.IDs); err != nil {
			c.log.WarnContext(ctx, "cache event failed; values in Redis stay until their TTL ends", "event", m.Event, "strategy", n.strategy().Name, "error", err)
		}
	}
}
