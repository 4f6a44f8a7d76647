//! Where marks may stand: one look at every three bytes of a text.
//!
//! Each mark is found by three consecutive bytes of it, the ones rarest in texts. A table says, for the hash of any
//! three bytes, whether a mark has them and which bytes may follow. The table fits into the processor's first cache,
//! and unlike an automaton no lookup waits for the one before. If the table says yes, the possible marks are
//! compared.

/// Bytes by which a mark is looked for: no mark is shorter.
pub(super) const WINDOW: usize = 3;
/// Bits of a hash.
const BITS: u32 = 15;
const HASHES: usize = 1 << BITS;
/// The bytes that texts have most, the most common one first.
const COMMON: &[u8] = b" etaoinsrhlcdmpug";

/// What of the marks stands most in prose, code, logs and JSON, three bytes each, the most common one first. Counted in
/// this repository; a few more or less would change how often marks are compared and nothing else.
#[rustfmt::skip] // No line breaks within a window.
const COMMON_WINDOWS: &str = concat!(
    "theionalulueentingat  reess sesiotried keystrsestiovalonsts er es ame in isrinis odein  core  to",
    "s aternamveror ntsuse\"coconcodforithrea onints oe soneeaderswit fo asatet i wias ng woret ns ",
    "sercomoolordse ectn tounth tenaretoocorne an reds iuntt tnteineoutut to ch hinatipeneco --nt  ar",
    "thiromtarot itecti wotedds antequ pr tathoreqen s:  0 aint sassme // climetn agenidelieypetrafro",
    "onte ranstype: on\"man---encappailinderrortommcesde denratdes paken naopeienultdatd wargsontab",
    "toks sparokeervturmodry n iaseerarep.cordsgetmin \"cang deinsby telid\"ackasts floce purentiatu",
    "emot: steer\"oveourooktch_coatae\\\"ensrgeeneemeretialal atcte shocrechanneputeartus sh ouow ad ",
    "hancoumbeonnhenneclon \"aicarsiStrhttttp kebersec\"re-iner:ongn: er.memedisse://setmarsenhowhoo",
    "expct nd-aulrivharey s dt dokscatto_eryn well acs preeh tt pCod usedetiadisd-irverna_stlaccceire",
    "Lin unsha.pass log-conesoadpt loanseremlt sidh seris =es:t 0th\"impormngsriapreittrasmosrd etu",
    "erm_ideedllonerginn funsiednt:clofigaccetetacr: autt kaddalimaiockon\\g ing:onf/seutptpuuthol ",
    "-senfieatntopteenvapieStoki uped_helcravat\"matpsprict(d pral",
);

/// The filter of a set of marks, each of [`WINDOW`] bytes or more.
#[derive(Debug)]
pub(super) struct Filter {
    /// By hashes: 0 where no mark has one; else a bit for each group of bytes that may stand behind the window.
    table: Box<[u8; HASHES]>,
    /// By hashes: where its entries begin. Only what the table lets through asks.
    firsts: Box<[u16; HASHES]>,
    /// By their hashes.
    entries: Vec<Entry>,
}

/// A mark, and how far behind its beginning its window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: usize,
    mark: usize,
    offset: usize,
    /// What the mark begins with, and which bits of four bytes that are.
    head: u32,
    of_head: u32,
}

impl Filter {
    /// The filter of `marks`; `None` if one is too short.
    pub(super) fn of<'m>(marks: impl Iterator<Item = &'m [u8]>) -> Option<Self> {
        let commonness = Commonness::new();
        let mut table = Box::new([0; HASHES]);
        let mut entries = Vec::new();
        for (mark, bytes) in marks.enumerate() {
            let windows = bytes.array_windows::<WINDOW>().enumerate();
            let (offset, window) = windows.min_by_key(|(_, window)| commonness.of(**window))?;
            let hash = hash(padded(*window));
            // Behind a window at a mark's end anything may stand.
            *table.get_mut(hash)? |= bytes.get(offset + WINDOW).map_or(u8::MAX, |next| group_of(*next));
            let of_head = u32::MAX >> (8 * 4_u32.saturating_sub(bytes.len() as u32));
            entries.push(Entry { hash, mark, offset, head: first_four(bytes) & of_head, of_head });
        }
        entries.sort_unstable();
        let mut firsts = Box::new([0; HASHES]);
        for (place, entry) in entries.iter().enumerate().rev() {
            *firsts.get_mut(entry.hash)? = u16::try_from(place).ok()?;
        }
        Some(Self { table, firsts, entries })
    }

    /// Calls `found` with every mark that may stand in `text`, and where it would begin.
    pub(super) fn for_each(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let mut from = 0;
        let (fours, _) = text.as_chunks::<4>();
        // Four windows in one look; each is read with the byte behind it.
        for [four, next] in fours.array_windows() {
            let bytes = u64::from(u32::from_le_bytes(*four)) | u64::from(u32::from_le_bytes(*next)) << 32;
            let (a, b, c, d) =
                (bytes as u32, (bytes >> 8) as u32, (bytes >> 16) as u32, (bytes >> 24) as u32);
            if self.has(a) | self.has(b) | self.has(c) | self.has(d) != 0 {
                self.look(a, text, from, &mut found);
                self.look(b, text, from + 1, &mut found);
                self.look(c, text, from + 2, &mut found);
                self.look(d, text, from + 3, &mut found);
            }
            from += 4;
        }
        let rest = text.get(from..).unwrap_or_default();
        for (window, at) in rest.array_windows().zip(from..) {
            let window = padded(*window);
            if self.has(window) != 0 {
                self.candidates(hash(window), text, at, &mut found);
            }
        }
    }

    /// Not 0 if a mark may have the window.
    #[inline(always)]
    fn has(&self, window: u32) -> u8 {
        self.table.get(hash(window)).copied().unwrap_or_default()
    }

    /// Looks at a window with the byte behind it.
    #[inline]
    fn look(&self, window: u32, text: &[u8], at: usize, found: &mut impl FnMut(usize, usize)) {
        if self.has(window) & group_of((window >> 24) as u8) != 0 {
            self.candidates(hash(window), text, at, found);
        }
    }

    /// Most of what the table lets through begins as no mark does, which one look at four bytes tells.
    fn candidates(&self, hash: usize, text: &[u8], at: usize, found: &mut impl FnMut(usize, usize)) {
        let first = self.firsts.get(hash).copied().map_or(0, usize::from);
        let entries = self.entries.get(first..).unwrap_or_default();
        for entry in entries.iter().take_while(|entry| entry.hash == hash) {
            let Some(start) = at.checked_sub(entry.offset) else { continue };
            let begins = first_four(text.get(start..).unwrap_or_default());
            if begins & entry.of_head == entry.head {
                found(entry.mark, start);
            }
        }
    }
}

/// The first four bytes, with zeros behind a shorter text.
#[inline]
fn first_four(text: &[u8]) -> u32 {
    let short = || text.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte));
    text.first_chunk().map_or_else(short, |four| u32::from_le_bytes(*four))
}

const fn padded([first, second, third]: [u8; WINDOW]) -> u32 {
    u32::from_le_bytes([first, second, third, 0])
}

/// The hash of the first three bytes: what the fourth adds is shifted out.
#[inline(always)]
const fn hash(window: u32) -> usize {
    (window.wrapping_mul(0x9e37_79b1 << 8) >> (u32::BITS - BITS)) as usize
}

/// The group that a byte is of: one of eight.
const fn group_of(byte: u8) -> u8 {
    1 << ((byte ^ byte >> 3) & 7)
}

/// How much of ordinary texts windows are.
struct Commonness(Box<[u16; HASHES]>);

impl Commonness {
    fn new() -> Self {
        let mut ranks = Box::new([0; HASHES]);
        let (windows, _) = COMMON_WINDOWS.as_bytes().as_chunks::<WINDOW>();
        for (window, rank) in windows.iter().rev().zip(1..) {
            if let Some(place) = ranks.get_mut(hash(padded(*window))) {
                *place = rank;
            }
        }
        Self(ranks)
    }

    /// By windows first, and then by bytes.
    fn of(&self, window: [u8; WINDOW]) -> (u16, usize) {
        let of_byte = |byte: &u8| match COMMON.iter().position(|common| common == byte) {
            Some(place) => COMMON.len() + 1 - place,
            None => usize::from(byte.is_ascii_lowercase()),
        };
        let rank = self.0.get(hash(padded(window))).copied().unwrap_or_default();
        (rank, window.iter().map(of_byte).sum())
    }
}
