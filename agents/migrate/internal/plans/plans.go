// Package plans tests that the services' frequent queries use the design
// document's indexes on tables of a million rows. It has only tests. They are
// separate because filling the tables takes about a minute.
package plans
