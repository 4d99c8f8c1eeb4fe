# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # Variables of the caller, and for the caller.
# For scripts that trace real programs, to be sourced: servers made ready to be started, and what is
# missing. Callers set `subject`, `folder` (which everybody may enter: servers give up being root) and
# `results`.

# Ends the subject: something is missing, and this is what brings it.
lacks() {
    printf '%s: %s is missing: install %s\n' "$subject" "$1" "$2" >>"$results/missing"
    exit 2
}

needs() {
    [[ -n $(command -v "$1") ]] || lacks "$1" "$2"
}

# Sets `as_postgres`: how to begin a command as a user who is not root.
postgres_cluster() {
    needs setpriv util-linux
    local bin
    bin=$(find /usr/lib/postgresql /usr/local/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1 || true)
    [[ $bin ]] || lacks initdb postgresql
    PATH=${bin%/*}:$PATH
    needs pgbench postgresql-contrib
    local user=postgres
    id -u "$user" >/dev/null 2>&1 || user=nobody
    as_postgres=(env "PATH=$PATH" "HOME=$folder" setpriv --reuid="$user"
        --regid="$(id -g "$user")" --clear-groups)
    chown "$user" "$folder"
    "${as_postgres[@]}" initdb -D "$folder/data" -A trust -U postgres --no-sync
    export PGUSER=postgres
}

redis_is_there() {
    needs redis-server redis-server
    needs redis-benchmark redis-tools
}

# Sets `url`.
nginx_is_there() {
    needs nginx nginx && needs wrk wrk && needs curl curl && needs python3 python3
    local port
    port=$(free_port)
    url=http://127.0.0.1:$port
    head -c 20000 /dev/urandom >"$folder/file"
    head -c 3000000 /dev/urandom >"$folder/large"
    cat >"$folder/nginx.conf" <<END
worker_processes 2;
pid nginx.pid;
error_log error.log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    gzip on;
    gzip_types *;
    server { listen 127.0.0.1:$port; root $folder; }
}
END
}

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
