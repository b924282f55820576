# Starts PostgreSQL in the official image or in one that is packed from Debian's
# files. It needs only a shell and the server. The pod sets DATA, CONFIG,
# PASSWORD_FILE, SOCKETS, OWNER and DATABASE. With the argument "ready" the
# script checks whether the server accepts connections.
set -eu
for bin in /usr/lib/postgresql/*/bin; do
  [ -d "$bin" ] && PATH="$bin:$PATH"
done

if [ "${1:-}" = ready ]; then
  exec pg_isready --quiet --host="$SOCKETS" --username="$OWNER" --dbname="$DATABASE"
fi

# The file "initialized" is created last. A folder with data but without this
# file is from an interrupted start: initdb fails, and nothing is deleted.
if [ ! -e "$DATA/initialized" ]; then
  initdb --pgdata="$DATA" --username="$OWNER" --pwfile="$PASSWORD_FILE" \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-locale --data-checksums
  echo "CREATE DATABASE $DATABASE" | postgres --single -D "$DATA" postgres
  : >"$DATA/initialized"
fi
exec postgres -D "$DATA" -c config_file="$CONFIG"
