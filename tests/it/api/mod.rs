//! The API as its callers see it: one behaviour a test, each on both databases.

mod addresses;
mod audit;
mod bodies;
mod cors;
mod credentials;
mod discovery;
mod environments;
mod hangups;
mod http_edge;
mod jobs;
mod jwt;
mod keys;
mod me;
mod nodes;
mod outage;
mod overload;
mod passwords;
mod refresh;
mod reseal;
mod roles;
mod secrecy;
mod sessions;
mod signin;
mod signup;
mod tenancy;
mod users_admin;
