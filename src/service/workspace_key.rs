//! The key of a workspace: its tenant and its name. Workspaces are mined one by one.

/// (tenant, workspace).
pub(super) type WorkspaceKey = (String, String);
