// Package plans proves that the services' hot queries use the seed's indexes
// on tables of a million rows. It holds tests alone, apart from the others
// because filling the tables takes them most of a minute.
package plans
