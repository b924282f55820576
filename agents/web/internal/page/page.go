// Package page holds the test of the front page in a real browser: the four
// programs as they are built, on real servers, and Chromium. It has no code of
// its own.
package page
