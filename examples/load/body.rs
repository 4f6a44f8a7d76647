//! A request's bytes. The ids in it are marks of its own, whose places are found once.

/// A request that can be sent any number of times, each time with other ids.
pub(crate) struct Body {
    bytes: Vec<u8>,
    /// Where ids stand, and which.
    places: Vec<Place>,
}

struct Place {
    at: usize,
    length: usize,
    id: usize,
    is_hex: bool,
}

/// How an id is marked until it is known; no text has it.
const MARK: u64 = 0x5bad_c0de_0000_0000;

/// The bytes of an id before it is known: 16 of a trace, 8 of a span.
pub(crate) fn mark(number: usize, length: usize) -> Vec<u8> {
    let own = (MARK | u64::try_from(number).unwrap()).to_be_bytes();
    own.iter().copied().cycle().take(length).collect()
}

impl Body {
    /// Finds the `ids` marks of a request: the lengths of the ids by their numbers.
    pub(crate) fn new(bytes: Vec<u8>, ids: &[usize]) -> Self {
        let mut places = Vec::new();
        for (id, length) in ids.iter().enumerate() {
            let plain = mark(id, *length);
            let hex = hex(&plain).into_bytes();
            for (wanted, is_hex) in [(plain, false), (hex, true)] {
                let found = memchr::memmem::find_iter(&bytes, &wanted);
                places.extend(found.map(|at| Place { at, length: wanted.len(), id, is_hex }));
            }
        }
        assert!(places.len() >= ids.len(), "every id stands in the request");
        Self { bytes, places }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn with_ids(&self, ids: &mut Ids) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for place in &self.places {
            let id = ids.of(place.id, place.length);
            let id = if place.is_hex { hex(&id[..place.length / 2]).into_bytes() } else { id };
            bytes[place.at..place.at + place.length].copy_from_slice(&id);
        }
        bytes
    }
}

/// The ids of one request.
pub(crate) struct Ids {
    request: u64,
    process: u64,
}

impl Ids {
    pub(crate) fn new(request: u64) -> Self {
        Self::of_process(request, u64::from(std::process::id()))
    }

    /// The ids that another process of this number gives its requests.
    pub(crate) const fn of_process(request: u64, process: u64) -> Self {
        Self { request, process }
    }

    fn of(&self, id: usize, length: usize) -> Vec<u8> {
        let seed = (self.request << 20) ^ u64::try_from(id).unwrap() ^ (self.process << 48);
        (0..=length / 8)
            .flat_map(|part| mixed(seed ^ (u64::try_from(part).unwrap() << 44)).to_be_bytes())
            .take(length)
            .collect()
    }
}

/// SplitMix64's last step.
pub(crate) const fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
