package storespec

import (
	"cmp"
	"fmt"
)

// Weekday is the day of AWS's maintenance, as AWS writes it.
type Weekday string

// Values returns the allowed weekdays.
func (Weekday) Values() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// defaultDay is Sunday, when the platform has the least load.
const defaultDay Weekday = "sun"

// Slot is the time of a store's maintenance within the night. Each store has its own slot, so that
// AWS maintains only one store at a time.
type Slot struct{ from, to string }

// The slots in UTC, at night in America and Europe, after the backups.
var (
	PostgreSQLSlot = Slot{"04:30", "05:30"}
	RedisSlot      = Slot{"05:30", "06:30"}
	DocumentDBSlot = Slot{"06:30", "07:30"}
)

// MaintenanceWindow returns the weekly window of a store as ddd:hh24:mi-ddd:hh24:mi in UTC.
// An empty day is Sunday.
func MaintenanceWindow(day Weekday, slot Slot) string {
	day = cmp.Or(day, defaultDay)
	return fmt.Sprintf("%s:%s-%s:%s", day, slot.from, day, slot.to)
}
