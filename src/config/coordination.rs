//! What several workers of one table need.

use crate::coordination::Coordination;
use crate::exporters::target::{Target, TargetKind};
use crate::table::Location;

use super::resolver::{ResolveError, Resolver};

impl Resolver<'_> {
    /// Two workers that publish at the same moment are told apart by the push that is refused, so there has to be one.
    pub(super) fn check_several_workers(
        &self,
        id: &str,
        coordination: Coordination,
        table: &Location,
        targets: &[Target],
    ) -> Result<(), ResolveError> {
        let written = match coordination {
            Coordination::File => return Ok(()),
            Coordination::Store => "store",
            Coordination::Kubernetes => "kubernetes",
        };
        let at = ["connectors", id, "coordination"];
        for target in targets {
            let why = match &target.place {
                TargetKind::Git(_) => continue,
                TargetKind::Filesystem(_) => "is a folder, whose lock other machines do not see",
                TargetKind::Deeplake(_) => "is a Deeplake workspace, which refuses nobody who comes too late",
            };
            let message = format!(
                "`{written}` is for several workers, and {target} {why}; export to git, which refuses whoever was slower, \
                 or keep one worker with coordination: file"
            );
            return Err(self.invalid(&at, &message));
        }
        if coordination == Coordination::Store && matches!(table, Location::Folder(_)) {
            let message = format!(
                "`store` keeps the claims of workers in the table's bucket, and {table} is a folder; use a table at s3://, \
                 gs:// or az://, or keep one worker with coordination: file"
            );
            return Err(self.invalid(&at, &message));
        }
        Ok(())
    }
}
