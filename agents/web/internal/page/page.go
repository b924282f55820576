// Package page has the test of the front page in a real browser: Chromium, the
// four services as processes, and real servers. It has no other code.
package page
