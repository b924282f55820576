# Starts PostgreSQL from the official image or one packed from Debian's files;
# needs a shell and the server, no other command. DATA, CONFIG, PASSWORD_FILE,
# OWNER and DATABASE are set by the pod. With "ready" it says whether the server
# answers.
set -eu
for bin in /usr/lib/postgresql/*/bin; do
  [ -d "$bin" ] && PATH="$bin:$PATH"
done

if [ "${1:-}" = ready ]; then
  exec pg_isready --quiet --host="$SOCKETS" --username="$OWNER" --dbname="$DATABASE"
fi

# The mark is the last thing made: a folder without it is of a start that was
# cut off, and initdb refuses it rather than this script deleting anything.
if [ ! -e "$DATA/initialized" ]; then
  initdb --pgdata="$DATA" --username="$OWNER" --pwfile="$PASSWORD_FILE" \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-locale --data-checksums
  echo "CREATE DATABASE $DATABASE" | postgres --single -D "$DATA" postgres
  : >"$DATA/initialized"
fi
exec postgres -D "$DATA" -c config_file="$CONFIG"
