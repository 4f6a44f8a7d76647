//! Simple values, as lenient as no information is invented: numbers as texts, texts as numbers, enum
//! names, ids in hex of any case, base64 of any alphabet. What is absent, `null` or `""` is the default.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::cursor::{Cursor, Failure, Scalar};
use crate::event::from_hex;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Of span ids and of trace ids.
const ID_LENGTHS: [usize; 2] = [8, 16];
/// No client has longer names of its own.
const LONGEST_ID: usize = 128;

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

impl Cursor<'_> {
    pub(super) fn string(&mut self) -> Result<String, Failure> {
        Ok(match self.scalar()? {
            Scalar::Null => String::new(),
            Scalar::Bool(flag) => flag.to_string(),
            Scalar::Number(number) => number.to_owned(),
            Scalar::Text(text) => text.into_owned(),
        })
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Failure> {
        match self.scalar()? {
            Scalar::Null => Ok(false),
            Scalar::Bool(flag) => Ok(flag),
            Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Scalar::Text(text) if text.is_empty() || text.eq_ignore_ascii_case("false") => Ok(false),
            other => Err(wrong("a boolean", &other)),
        }
    }

    pub(super) fn uint64(&mut self) -> Result<u64, Failure> {
        self.number("an unsigned integer", |number| {
            number.parse().ok().or_else(|| {
                let number = whole(number).filter(|number| (0.0..2.0 * TWO_TO_63).contains(number))?;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it fits")]
                Some(number as u64)
            })
        })
    }

    pub(super) fn int64(&mut self) -> Result<i64, Failure> {
        self.number("an integer", |number| {
            number.parse().ok().or_else(|| {
                let number = whole(number).filter(|number| (-TWO_TO_63..TWO_TO_63).contains(number))?;
                #[expect(clippy::cast_possible_truncation, reason = "it fits")]
                Some(number as i64)
            })
        })
    }

    pub(super) fn uint32(&mut self) -> Result<u32, Failure> {
        let number = self.uint64()?;
        u32::try_from(number).map_err(|_| Failure::Value(format!("{number} does not fit 32 bits")))
    }

    pub(super) fn int32(&mut self) -> Result<i32, Failure> {
        let number = self.int64()?;
        i32::try_from(number).map_err(|_| Failure::Value(format!("{number} does not fit 32 bits")))
    }

    pub(super) fn double(&mut self) -> Result<f64, Failure> {
        self.number("a number", |number| number.parse().ok())
    }

    /// A number, or the name that `number_of` knows; another name is 0, "unspecified".
    pub(super) fn enumeration(&mut self, number_of: fn(&str) -> Option<i32>) -> Result<i32, Failure> {
        let before = self.position();
        match self.scalar()? {
            Scalar::Text(name) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                Ok(number_of(&name).unwrap_or_default())
            }
            _ => {
                self.rewind(before);
                self.int32()
            }
        }
    }

    /// A trace id or span id: hex as OTLP has it, else a UUID, else base64 as other encoders of protobuf write
    /// it, else the text's own bytes.
    pub(super) fn id(&mut self) -> Result<Vec<u8>, Failure> {
        let text = match self.scalar()? {
            Scalar::Null => return Ok(Vec::new()),
            Scalar::Text(text) => text,
            other => return Err(wrong("an id in hex", &other)),
        };
        let of_uuid = || from_hex(&text.replace('-', ""));
        let of_base64 =
            || LENIENT.decode(text.as_bytes()).ok().filter(|bytes| ID_LENGTHS.contains(&bytes.len()));
        let bytes = from_hex(&text).or_else(of_uuid).or_else(of_base64);
        // A name of the client's own is an id as good as another: what belongs together stays together.
        let bytes = bytes.unwrap_or_else(|| text.as_bytes().to_vec());
        if bytes.len() > LONGEST_ID {
            return Err(Failure::Value(format!("an id of {} bytes", bytes.len())));
        }
        Ok(bytes)
    }

    pub(super) fn base64(&mut self) -> Result<Vec<u8>, Failure> {
        let text = match self.scalar()? {
            Scalar::Null => return Ok(Vec::new()),
            Scalar::Text(text) => text,
            other => return Err(wrong("base64", &other)),
        };
        let standard: Vec<u8> = text
            .bytes()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            })
            .collect();
        LENIENT.decode(standard).map_err(|error| Failure::Value(format!("not base64: {error}")))
    }

    fn number<T: Default>(
        &mut self,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let scalar = self.scalar()?;
        let number = match &scalar {
            Scalar::Null => return Ok(T::default()),
            Scalar::Number(number) => number,
            Scalar::Text(text) => text.trim(),
            Scalar::Bool(_) => return Err(wrong(wanted, &scalar)),
        };
        if number.is_empty() {
            return Ok(T::default());
        }
        parse(number).ok_or_else(|| wrong(wanted, &scalar))
    }
}

/// A number with a fraction or an exponent, its fraction cut off.
fn whole(number: &str) -> Option<f64> {
    number.parse().ok().filter(|number: &f64| number.is_finite()).map(f64::trunc)
}

fn wrong(wanted: &str, found: &Scalar<'_>) -> Failure {
    // The value itself stays out of the message: it may be what somebody wrote.
    let found = match found {
        Scalar::Null => "null",
        Scalar::Bool(_) => "a boolean",
        Scalar::Number(_) => "another number",
        Scalar::Text(_) => "a text",
    };
    Failure::Value(format!("{found} where {wanted} belongs"))
}
