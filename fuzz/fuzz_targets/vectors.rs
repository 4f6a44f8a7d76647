//! A file of word vectors: any bytes are read or refused; what is read is of length 1.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use skillspan::skillify::Vectors;

fuzz_target!(|bytes: &[u8]| {
    let wanted = BTreeSet::from(["a", "map", "the", "tiles", "ü"]);
    let Ok(vectors) = Vectors::read_text(bytes, &wanted) else { return };
    assert!(vectors.len() <= wanted.len());
    for (word, vector) in vectors.iter() {
        assert!(wanted.contains(word) && vector.len() == vectors.dimensions());
        let length: f64 = vector.iter().map(|number| f64::from(*number).powi(2)).sum();
        assert!((length - 1.0).abs() < 1e-3, "{vector:?}");
    }
});
