//! The API as its callers see it: one behaviour a test, each on both databases.

mod addresses;
mod bodies;
mod cors;
mod credentials;
mod discovery;
mod environments;
mod hangups;
mod http_edge;
mod jwt;
mod keys;
mod letters;
mod me;
mod nodes;
mod outage;
mod overload;
mod passwords;
mod refresh;
mod roles;
mod secrecy;
mod sessions;
mod signin;
mod signup;
mod smtp;
mod tenancy;
mod users_admin;
