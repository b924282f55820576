// Package fluentbitkeys only has a test. The test reads the configuration file of Fluent Bit in the
// recorded previews, with a parser by the makers of Fluent Bit. It also compares the file with the
// tables of plugins and keys that a build of Fluent Bit prints. The package has its own module,
// because these tables are large.
package fluentbitkeys
