// Package fluentbitkeys only has a test. It checks the configuration file of Fluent Bit in the
// recorded previews with a parser of its makers, and with the table of plugins and keys that their
// build of Fluent Bit prints. It has its own module, because the tables are large.
package fluentbitkeys
