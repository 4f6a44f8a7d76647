//! Workspaces in shards: the same on every machine and in every version.

use sha2::{Digest, Sha256};

use crate::event::hex;

/// A number of a shard, from 0.
pub type Shard = u16;

/// How many shards there are. More workers than that are of no use.
pub const SHARDS: Shard = 32;

/// The shard of a tenant's workspace.
pub fn shard_of(tenant: &str, workspace: &str) -> Shard {
    let [first, second, ..] = hash(&[tenant, workspace]);
    u16::from_be_bytes([first, second]) % SHARDS
}

/// Separates workers with different work: 16 hex digits of what they mine and where their skills go.
pub fn scope_of(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    hex(hash(&parts).iter().take(8))
}

/// With the lengths, so that no two lists run into one text.
fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn shards_never_change_and_are_about_as_large_as_each_other() {
        assert_eq!(
            [shard_of("default", "default"), shard_of("acme", "shop"), shard_of("acmes", "hop")],
            [13, 11, 22]
        );
        let mut sizes: BTreeMap<Shard, usize> = BTreeMap::new();
        for number in 0..3_200 {
            *sizes.entry(shard_of("acme", &format!("w{number}"))).or_default() += 1;
        }
        assert_eq!(sizes.len(), usize::from(SHARDS));
        assert!(sizes.values().all(|size| (60..150).contains(size)), "{sizes:?}");
    }
}
