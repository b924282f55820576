// Package fluentbitkeys only has a test. It checks the configuration file of Fluent Bit in the
// recorded previews with a parser of Fluent Bit's makers. It also checks the file with the table of
// plugins and keys that a build of Fluent Bit prints. The package has its own module, because the
// tables are large.
package fluentbitkeys
