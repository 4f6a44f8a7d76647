//! Any bytes as a file of sessions: read to its end in bounded memory, whichever assistant they say that they are of.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use skillspan::dialects::transcripts::{Form, Place, to_log};
use skillspan::dialects::{Record, TRANSCRIPTS};
use skillspan::receivers::transcripts::{Found, Values};

fuzz_target!(|bytes: &[u8]| {
    for form in [Form::Lines, Form::Whole] {
        let mut values = Vec::new();
        let mut file = Values::new(bytes, form);
        let (mut line, mut end) = (0, 0);
        while let Some(piece) = file.next_piece().expect("bytes can be read") {
            assert!(piece.line >= line && piece.end >= end, "pieces are in order");
            (line, end) = (piece.line, piece.end);
            if let Found::Value(value, _) = piece.found {
                values.push(value);
            }
        }
        for assistant in &TRANSCRIPTS {
            let mut reader = assistant.reader(Place { name: "s-1".to_owned(), ..Place::default() });
            let mut told = Vec::new();
            values.iter().for_each(|value| reader.read(value.clone(), &mut told));
            reader.end(&mut told);
            let scope = InstrumentationScope { name: assistant.scope(), ..InstrumentationScope::default() };
            let resource = Resource::default();
            for told in told {
                support::map(&Record::log(&resource, &scope, &to_log(told)));
            }
        }
    }
});
