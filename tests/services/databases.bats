#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Databases: under load through hbpf, and refusing containers until the line of docs/SERVICES.md is
# set.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

# ---- PostgreSQL

postgres() {
	PGDATA=$(home postgres)
	export PGDATA PGUSER=app PGPASSWORD=secret PGDATABASE=postgres PGCONNECT_TIMEOUT=10
	echo secret >"$BED/home/password"
	nobody initdb --no-sync --username=app --pwfile="$BED/home/password" \
		--auth=scram-sha-256 --locale=C >"$BED/initdb.log" || fail "$(<"$BED/initdb.log")"
	start postgres postgres -D "$PGDATA" -c listen_addresses=127.0.0.1,::1 \
		-c unix_socket_directories="$PGDATA" -c fsync=off
	up tcp 5432
	eventually on_host pg_isready -q -h 127.0.0.1
}

# allow_in_pg_hba: adds the line of docs/SERVICES.md
allow_in_pg_hba() {
	{
		echo "host    postgres    app    172.30.0.0/24    scram-sha-256"
		echo "host    postgres    app    fd00:30::/64    scram-sha-256"
	} >>"$PGDATA/pg_hba.conf"
	nobody pg_ctl reload -s
}

sql() {
	client psql --no-psqlrc --quiet --tuples-only --no-align --host "$GW" --command "$1"
}

@test "PostgreSQL refuses containers until pg_hba.conf has a line for them" {
	postgres
	opens 5432/tcp
	for gateway in "$GW" "$GW6"; do
		exits 2 client psql --host "$gateway" --command "select 1"
		says 'no pg_hba.conf entry for host "(172.30.0.2|fd00:30::2)"'
	done
	exits 0 on_host psql --host 127.0.0.1 --command "select 1"

	allow_in_pg_hba
	eventually sql "select 1"
	[ "$(sql "select host(inet_client_addr()), host(inet_server_addr())")" = "$C1|127.0.0.1" ]
	closes 5432/tcp
}

@test "PostgreSQL: pgbench's transactions all succeed, and the books balance" {
	postgres
	allow_in_pg_hba
	opens 5432/tcp
	eventually sql "select 1"
	exits 0 client pgbench --host "$GW" --initialize --quiet

	# One connection for all transactions of a client, then a new one for each. Vacuuming would
	# truncate the history between them.
	exits 0 client pgbench --host "$GW" --no-vacuum --client 8 --jobs 2 --time 4
	prints '^number of failed transactions: 0 '
	count=$(transactions)
	figures "pgbench $GW: $count transactions, $(grep '^tps' <<<"$out")"
	exits 0 client pgbench --host "$GW6" --no-vacuum --client 4 --connect --transactions 20
	prints '^number of failed transactions: 0 ' 'processed: 80/80$'
	count=$((count + $(transactions)))
	figures "pgbench --connect $GW6: $(transactions) transactions, $(grep '^tps' <<<"$out")"

	# the database has what pgbench counted, each sum in three places
	[ "$(sql "select count(*) from pgbench_history")" = "$count" ]
	[ "$(sql "select count(distinct sum) from (select sum(abalance) from pgbench_accounts
		union all select sum(tbalance) from pgbench_tellers
		union all select sum(delta) from pgbench_history) as books")" = 1 ]
	carried 5432/tcp "$count"
	closes 5432/tcp
}

# transactions of pgbench's last run
transactions() {
	sed -nE 's/^number of transactions actually processed: ([0-9]+).*/\1/p' <<<"$out"
}

# ---- Redis

redis() {
	start redis redis-server --bind 127.0.0.1 ::1 --port 6379 --dir "$(home redis)" \
		--save '""' "$@"
	up tcp 6379
}

ask_redis() {
	timeout 10 redis-cli -h "$GW" "$@"
}

@test "Redis refuses containers until it has a password, or protected-mode is off" {
	redis
	opens 6379/tcp
	[[ $(client redis-cli -h "$GW" ping) == *"DENIED Redis is running in protected mode"* ]]
	[ "$(on_host redis-cli -h 127.0.0.1 ping)" = PONG ]

	on_host redis-cli -h 127.0.0.1 config set requirepass secret
	export REDISCLI_AUTH=secret
	[ "$(client redis-cli -h "$GW" ping)" = PONG ]
	[ "$(client redis-cli -h "$GW6" ping)" = PONG ]

	on_host redis-cli -h 127.0.0.1 config set requirepass ""
	unset REDISCLI_AUTH
	[[ $(client redis-cli -h "$GW" ping) == *DENIED* ]]
	on_host redis-cli -h 127.0.0.1 config set protected-mode no
	[ "$(client redis-cli -h "$GW" ping)" = PONG ]
	closes 6379/tcp
}

@test "Redis: redis-benchmark ends without an error, and every one of its commands arrived" {
	redis --requirepass secret
	export REDISCLI_AUTH=secret
	opens 6379/tcp
	for gateway in "$GW" "$GW6"; do
		on_host redis-cli -h 127.0.0.1 flushall
		exits 0 client redis-benchmark -h "$gateway" -a secret -q -n 50000 -c 50 -t set,incr,lpush
		reports 'SET: .* requests per second' 'INCR: .* requests per second'
		figures "redis-benchmark $gateway: $(benchmarked)"
		# a new connection for each
		exits 0 client redis-benchmark -h "$gateway" -a secret -q -n 2000 -c 20 -k 0 -t incr
		figures "redis-benchmark -k 0 $gateway: $(benchmarked)"
		# pipelined
		exits 0 client redis-benchmark -h "$gateway" -a secret -q -n 50000 -c 20 -P 16 -t incr
		figures "redis-benchmark -P 16 $gateway: $(benchmarked)"
		[ "$(client redis-cli -h "$gateway" get counter:__rand_int__)" = 102000 ]
		[ "$(client redis-cli -h "$gateway" llen mylist)" = 50000 ]
	done
	carried 6379/tcp 200000
	closes 6379/tcp
}

# redis-benchmark's final output, without its progress
benchmarked() {
	tr '\r' '\n' <<<"$out" | sed -nE 's/^(.* requests per second), .*/\1/p' | paste -sd ';'
}

# ---- MariaDB

@test "MariaDB refuses containers until it has a user for them, and mariadb-slap's queries all succeed" {
	local home
	home=$(home mariadb)
	nobody mariadb-install-db --no-defaults --datadir="$home/data" \
		--auth-root-authentication-method=normal --skip-test-db >"$BED/install.log" 2>&1 ||
		fail "$(<"$BED/install.log")"
	start mariadb mariadbd --no-defaults --datadir="$home/data" \
		--socket="$home/socket" --pid-file="$home/pid" --bind-address=127.0.0.1
	up tcp 3306 127.0.0.1
	root=(on_host mariadb --no-defaults --user=root --socket="$home/socket" --batch)
	app=(--no-defaults --user=app --password=secret)
	"${root[@]}" --execute "create database mydb;
		create user 'app'@'localhost' identified by 'secret';
		grant all on mydb.* to 'app'@'localhost'"
	misses ECONNREFUSED tcp "$GW:3306"
	attach --port 3306

	exits 1 client mariadb "${app[@]}" --host="$GW" mydb --execute "select 1"
	says "Host '172.30.0.2' is not allowed to connect"
	exits 0 on_host mariadb "${app[@]}" --socket="$home/socket" mydb --execute "select 1"

	"${root[@]}" --execute "create user 'app'@'172.30.0.0/255.255.255.0' identified by 'secret';
		grant all on mydb.* to 'app'@'172.30.0.0/255.255.255.0';
		create table mydb.books (page int auto_increment primary key, who int)"
	exits 0 client mariadb "${app[@]}" --host="$GW" mydb --batch --skip-column-names \
		--execute "select substring_index(user(), '@', -1)"
	[ "$out" = "$C1" ]
	exits 0 client mariadb-slap "${app[@]}" --host="$GW" --create-schema=mydb \
		--no-drop --concurrency=8 --number-of-queries=4000 \
		--query="insert into books (who) values (connection_id())"
	figures "mariadb-slap $GW: 4000 inserts, $(sed -nE 's/^\s*(Average number of seconds.*)/\1/p' <<<"$out")"
	exits 0 "${root[@]}" --skip-column-names --execute \
		"select count(*), count(distinct who) from mydb.books"
	[ "$out" = $'4000\t8' ]
	carried 3306/tcp 4000
	hb detach
	misses ECONNREFUSED tcp "$GW:3306"
}
