//! A workspace of a tenant.

/// A workspace of a tenant: what is mined by itself.
pub(super) type WorkspaceKey = (String, String);
