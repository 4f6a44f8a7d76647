//! The journal: the durable log between the answer to a client and the table.
