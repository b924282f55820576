package rules

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/progressive-framework/platform/sandbox/aws/store"
	"github.com/progressive-framework/platform/sandbox/aws/wire"
)

// pendingChangeType is the type of a stored object with values that wait for a maintenance
// window: the PendingModifiedValues in the API of RDS. The object has the id of the changed
// database, and the database is its owner.
const pendingChangeType = "aws:pending-change"

// Deferral defines which changes of a type wait for the maintenance window. A change with
// applyImmediately does not wait. While a change waits, a read returns the former values, as in
// the provider.
type Deferral struct {
	// Props are the properties that wait.
	Props []string
	// Window is the property with the weekly window.
	Window string
}

// pendingKey returns the key of the stored object with the values that wait.
func (c *Call) pendingKey() store.Key {
	return store.Key{Scope: c.scope(c.Row), Type: pendingChangeType, ID: c.ID}
}

// applyPendingChange returns the object of the call. If values of the object wait for a
// maintenance window, and this window has begun, the result has these values.
func (c *Call) applyPendingChange(object store.Object) store.Object {
	if c.Row.Deferral == nil {
		return object
	}
	pending, ok := c.Tx.Get(c.pendingKey())
	if !ok {
		return object
	}
	windowStart, err := time.Parse(time.RFC3339, Object(pending.State).String("begins"))
	if err != nil || c.Now().Before(windowStart) {
		return object
	}
	object.State = wire.CloneMap(object.State)
	maps.Copy(object.State, Object(pending.State).Object("values"))
	return object
}

// deferChanges stores the new values of the properties that change in the maintenance window.
// It sets these properties back to their current values in In and Out. A call with
// applyImmediately applies its own changes and the changes that already wait
// (AmazonRDS/latest/APIReference/API_ModifyDBInstance.html, ApplyImmediately).
func (c *Call) deferChanges() {
	if c.Row.Deferral == nil {
		return
	}
	pendingValues := map[string]any{}
	for _, name := range c.Row.Deferral.Props {
		current, requested := c.Old[name], c.In[name]
		bothSet := current != nil && requested != nil
		same := c.Row.Props[name].Same
		unchanged := reflect.DeepEqual(current, requested) || (same != nil && same(c.Old.String(name), c.In.String(name)))
		if c.In.Bool("applyImmediately") || !bothSet || unchanged {
			continue
		}
		pendingValues[name] = wire.Clone(requested)
		c.In[name], c.Out[name] = wire.Clone(current), wire.Clone(current)
	}
	if len(pendingValues) == 0 {
		c.Tx.Delete(c.pendingKey())
		return
	}
	windowStart := nextWindowStart(c.Out.String(c.Row.Deferral.Window), c.Now().UTC())
	c.Tx.Put(store.Object{
		Key: c.pendingKey(), Owner: c.ID, Created: c.Now().UTC(),
		State: map[string]any{"values": pendingValues, "begins": windowStart.Format(time.RFC3339)},
	})
}

// nextWindowStart returns the first start of a weekly window after now. For an invalid
// window, nextWindowStart returns now.
func nextWindowStart(window string, now time.Time) time.Time {
	w, ok := parseWeekly(window)
	if !ok {
		return now
	}
	day := slices.Index(weekdays, strings.ToLower(now.Weekday().String()[:3]))
	minute := day*minutesPerDay + now.Hour()*60 + now.Minute()
	// The wait is 1 minute to 7 days. If the window begins in this minute, the wait is 7 days.
	wait := (w.start-minute+minutesPerWeek-1)%minutesPerWeek + 1
	return now.Truncate(time.Minute).Add(time.Duration(wait) * time.Minute)
}
