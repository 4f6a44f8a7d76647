//! Short histories, each of which brings the journal to a place where one sync is all that stands between
//! it and a loss. Random ones come there too seldom.

use super::disk::SimulatedDisk;
use super::history::World;

/// How many there are: the remainder of a seed is one of them.
pub(crate) const KINDS: u64 = 9;

/// Runs a directed history: the seed decides which one, and the moment at which the power or the process
/// goes.
pub(crate) fn run_directed(disk: SimulatedDisk, seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut world = World::new(disk, seed);
    runtime.block_on(async {
        match seed % KINDS {
            0 => world.only_begun(),
            1 => world.dead_letter_and_power_loss().await,
            2 => world.damage_and_power_loss().await,
            3 => world.killed_behind_a_name_then_power_loss().await,
            4 => world.recycled_and_power_loss().await,
            5 => world.released_at_opening_then_power_loss().await,
            6 => world.nearly_full_and_power_loss().await,
            7 => world.sealed_by_a_large_record_and_power_loss().await,
            _ => world.set_aside_whole_and_power_loss().await,
        }?;
        world.finish().await
    })
}

impl World {
    /// A journal that has been opened, and whose id others have seen.
    fn only_begun(&mut self) -> Result<(), String> {
        drop(self.open()?);
        self.lose_power();
        Ok(())
    }

    async fn dead_letter_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        // With nothing else to export, the cursor's name comes behind those of the table's manifest and of
        // the letter's two files.
        let behind_the_cursor = self.random.chance(1, 2);
        if !behind_the_cursor && self.random.chance(1, 2) {
            self.append(&journal).await;
        }
        self.append_undecodable(&journal).await;
        let names = if behind_the_cursor { 4 } else { 1 + self.random.below(8) };
        self.disk.lose_power_after_renames(names);
        if !behind_the_cursor && self.random.chance(1, 2) {
            // The letter is there, from a process that was killed before it was durable.
            self.export_or_power_loss(&journal).await?;
            self.disk = self.disk.kill();
            let journal = self.open()?;
            self.disk.lose_power_after_renames(1 + self.random.below(4));
            self.export_or_power_loss(&journal).await?;
        } else {
            self.export_or_power_loss(&journal).await?;
        }
        self.lose_power();
        Ok(())
    }

    async fn damage_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        // Damage in the last segment is found by opening, in another one by reading.
        for _ in 0..1 + self.random.below(6) {
            self.append(&journal).await;
        }
        self.damage_at_rest()?;
        if self.random.chance(1, 2) {
            // Set aside by a process that was killed before that was durable.
            self.disk.lose_power_after(self.random.below(16));
            if let Err(error) = self.open()
                && self.disk.is_on()
            {
                return Err(error);
            }
            self.disk = self.disk.kill();
        }
        let journal = self.open()?;
        if self.random.chance(1, 2) {
            self.disk.lose_power_after_renames(1 + self.random.below(7));
        }
        self.export_or_power_loss(&journal).await?;
        self.lose_power();
        Ok(())
    }

    /// What the next process has seen and builds on must not go with the power.
    async fn killed_behind_a_name_then_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        self.append(&journal).await;
        self.disk.lose_power_after_renames(1 + self.random.below(6));
        self.export_or_power_loss(&journal).await?;
        self.disk = self.disk.kill();
        drop(self.open()?);
        self.lose_power();
        Ok(())
    }

    /// A segment whose file was another one's, just begun or just filled.
    async fn recycled_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        for _ in 0..5 + self.random.below(4) {
            self.append(&journal).await;
        }
        self.export(&journal, true).await?;
        match self.random.below(4) {
            0 => self.disk.lose_power_after(self.random.below(12)),
            // Right behind the name that the spare file gets.
            1 | 2 => self.disk.lose_power_after_renames(1),
            _ => {}
        }
        for _ in 0..1 + self.random.below(6) {
            self.append(&journal).await;
        }
        self.lose_power();
        Ok(())
    }

    /// The cursor had moved when the process was killed; the next one lets go of what lies behind it.
    async fn released_at_opening_then_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        for _ in 0..1 + self.random.below(5) {
            self.append(&journal).await;
        }
        self.disk.lose_power_after_renames(2 + self.random.below(5));
        self.export_or_power_loss(&journal).await?;
        self.disk = self.disk.kill();
        let journal = self.open()?;
        if self.random.chance(1, 2) {
            self.disk.lose_power_after_renames(1);
        } else {
            self.disk.lose_power_after(self.random.below(9));
        }
        self.append(&journal).await;
        self.lose_power();
        Ok(())
    }

    /// A segment of nothing but exported records, full for the next one: its own file is the next segment's.
    async fn sealed_by_a_large_record_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        for _ in 0..1 + self.random.below(3) {
            self.append(&journal).await;
        }
        self.export(&journal, true).await?;
        self.disk.lose_power_after_renames(2);
        self.append_large(&journal).await;
        self.lose_power();
        Ok(())
    }

    /// A segment that is begun with less than it would like to have.
    async fn nearly_full_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        self.disk.limit(Some(1000 + self.random.below(6000)));
        for _ in 0..1 + self.random.below(3) {
            self.append(&journal).await;
        }
        self.disk.limit(None);
        self.lose_power();
        Ok(())
    }

    /// A file that holds nothing of the journal goes to the quarantine, and stays there.
    async fn set_aside_whole_and_power_loss(&mut self) -> Result<(), String> {
        let journal = self.open()?;
        self.append(&journal).await;
        self.disk = self.disk.kill();
        self.plant_a_foreign_segment();
        self.disk.lose_power_after(self.random.below(24));
        if let Err(error) = self.open()
            && self.disk.is_on()
        {
            return Err(error);
        }
        self.lose_power();
        Ok(())
    }
}
