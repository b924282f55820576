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
	// channel carries the events; sharded, so that the cluster's bus does not
	// repeat each of them to every node.
	channel = "cache:events"
	// maxMessage bounds what is read of one event, in bytes.
	maxMessage = 64 << 10
	// relisten is the pause before a lost subscription is made anew.
	relisten = 100 * time.Millisecond
)

// message is one event on its way to the other processes.
type message struct {
	Event  Event    `json:"event"`
	IDs    []string `json:"ids,omitempty"`
	Origin string   `json:"origin"`
	// Done are the prefixes that the sender has ended in Redis. One that it
	// does not know is ended by those who do.
	Done []string `json:"done,omitempty"`
}

func newOrigin() string { return rand.Text() }

func (r *redis) publish(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(text) > maxMessage {
		return fmt.Errorf("the event %s names ids of %d bytes, at most %d travel at once", m.Event, len(text), maxMessage)
	}
	client, err := r.ready()
	if err != nil {
		return unlessNone(err)
	}
	_, err = r.do(client, client.B().Spublish().Channel(channel).Message(string(text)).Build())
	return err
}

// listen hears the other processes' events until ctx ends. Whatever was missed
// while nobody listened is made up for by letting go of the whole local tier
// as soon as the subscription stands.
func (c *Cache) listen(ctx context.Context, client rueidis.Client) {
	for ctx.Err() == nil {
		listening := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
			if s.Kind == "ssubscribe" {
				c.forget()
				c.heard.Store(true)
			}
		})
		err := client.Receive(listening, client.B().Ssubscribe().Channel(channel).Build(), func(m rueidis.PubSubMessage) {
			c.hear(ctx, m.Message)
		})
		c.heard.Store(false)
		if ctx.Err() != nil {
			return
		}
		c.log.WarnContext(ctx, "the cache's events are not heard for a moment", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

func (c *Cache) forget() {
	for _, s := range *c.spaces.Load() {
		s.drop(nil)
	}
}

func (c *Cache) hear(ctx context.Context, text string) {
	var m message
	if len(text) > maxMessage || json.Unmarshal([]byte(text), &m) != nil {
		c.log.Warn("an event of the cache is not in our form", "bytes", len(text))
		return
	}
	if m.Origin == c.origin {
		return // done before it was sent
	}
	for _, s := range c.listeners(m.Event) {
		// Single values are ended once more: a load of ours may have put an old one
		// there after the sender was done and before we heard.
		if len(m.IDs) == 0 && slices.Contains(m.Done, s.prefix()) {
			s.drop(nil)
			continue
		}
		if err := c.end(ctx, s, m.IDs); err != nil {
			c.log.WarnContext(ctx, "values in Redis outlive an event until their TTL ends", "event", m.Event, "strategy", s.strategy().Name, "error", err)
		}
	}
}
