#!/bin/sh
# Once, when the cluster is made: one role and its databases each for Synapse and for the hub. Neither can read the other's.
# The hub's keys live in a database of their own, so that they can be left out of long-lived backups (design.md, 7).
set -eu
synapse_password=$(cat /run/secrets/synapse_db_password)
hub_password=$(cat /run/secrets/hub_db_password)
psql --username postgres --set ON_ERROR_STOP=1 \
     --set synapse_password="$synapse_password" --set hub_password="$hub_password" <<'SQL'
CREATE ROLE synapse LOGIN PASSWORD :'synapse_password';
CREATE ROLE tinkuy LOGIN PASSWORD :'hub_password';
CREATE DATABASE synapse OWNER synapse ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE tinkuy OWNER tinkuy ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE tinkuy_keys OWNER tinkuy ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE synapse, tinkuy, tinkuy_keys FROM PUBLIC;
GRANT CONNECT ON DATABASE synapse TO synapse;
GRANT CONNECT ON DATABASE tinkuy, tinkuy_keys TO tinkuy;
SQL
