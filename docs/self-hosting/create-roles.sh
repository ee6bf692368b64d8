#!/bin/sh
# Makes AgentPost's three roles and its database. Run it once, as whoever may make roles: psql reads the usual PG*
# variables. Takes the two passwords from OWNER_PASSWORD and APPLICATION_PASSWORD.
set -eu
psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname="${POSTGRES_DB:-postgres}" \
    --set=owner_password="$OWNER_PASSWORD" --set=application_password="$APPLICATION_PASSWORD" <<'SQL'
CREATE ROLE agentpost_owner LOGIN CREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE agentpost_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT PASSWORD :'application_password';
CREATE ROLE agentpost_gate NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
CREATE DATABASE agentpost OWNER agentpost_owner;
GRANT agentpost_gate TO agentpost_owner WITH INHERIT FALSE, SET TRUE;
REVOKE ALL ON DATABASE agentpost FROM PUBLIC;
GRANT CONNECT ON DATABASE agentpost TO agentpost_app;
SQL
