// Package page tests the front page in a real browser, Chromium. The four services run as
// processes on a real PostgreSQL and Redis. The package has no other code.
package page
