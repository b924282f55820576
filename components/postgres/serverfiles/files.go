// Package serverfiles owns the files with which a PostgreSQL server in the
// cluster starts: entrypoint.sh, postgresql.conf, pg_hba.conf and passwd. It is
// pure; the pod is package postgres'.
package serverfiles

import (
	_ "embed"
	"fmt"

	"github.com/progressive-framework/platform/components/postgres/postgrestuning"
)

// Script is what a pod runs, with a POSIX shell.
//
//go:embed entrypoint.sh
var Script string

// Paths are where the server finds things.
type Paths struct {
	// Sockets is the folder of its Unix socket, Access its pg_hba.conf.
	Sockets, Access string
}

// File is the whole postgresql.conf: the model's settings, and where the
// server is found. WAL is archived by the command, if there is one.
func File(model *postgrestuning.Model, archive string, p Paths) string {
	return fmt.Sprintf("%slisten_addresses = '*'\nunix_socket_directories = '%s'\nhba_file = '%s'\npassword_encryption = 'scram-sha-256'\n",
		model.File(archive), p.Sockets, p.Access)
}

// Access is pg_hba.conf: over the network by password only; over the socket,
// which nobody outside the container has, without.
const Access = `local all all trust
host all all all scram-sha-256
`

// Users is /etc/passwd: initdb looks its user's name up, and psql takes that
// name unless another is given.
func Users(owner string, id int) string {
	return fmt.Sprintf("%s:x:%d:%d::/tmp:/bin/sh\n", owner, id, id)
}
