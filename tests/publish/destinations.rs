//! Folders and repositories are destinations as all are.

use skillspan::exporters::filesystem::{Config, Filesystem};
use skillspan::exporters::git::{Git, Mode};
use skillspan::library::Layout;

use super::conformance::conforms;
use super::repository::Bare;

#[test]
fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conforms(|| Filesystem::new(Config { path: folder.path().join("skills"), layout: Layout::Library }));
}

#[test]
fn a_branch_conforms() {
    let bare = Bare::new();
    conforms(|| Git::new(bare.config("one", Mode::Direct)));
}
