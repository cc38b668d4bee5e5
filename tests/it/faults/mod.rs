//! What may go wrong beneath the server, and what becomes of the data then. `conformance/faults` lists every fault with its test.

mod client;
mod database;
mod disk;
mod migrations;
mod processes;
mod replica;
mod stop;
