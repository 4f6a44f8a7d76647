//! Requests as bytes: what one user prompt of Claude Code looks like, and how to spoil it.

/// One log record that becomes one event.
pub(crate) const LOGS_JSON: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"claude-code"}}]},"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events","version":"2.1.330"},"logRecords":[{"timeUnixNano":"1790000000000000000","observedTimeUnixNano":"1790000000000000000","body":{"stringValue":"claude_code.user_prompt"},"attributes":[{"key":"event.name","value":{"stringValue":"user_prompt"}},{"key":"session.id","value":{"stringValue":"s-1"}},{"key":"prompt.id","value":{"stringValue":"p-1"}},{"key":"prompt","value":{"stringValue":"bump the widgets"}}]}]}]}]}"#;

/// One span; no dialect knows it.
pub(crate) const TRACES_JSON: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"s"}]}]}]}"#;

/// Two metrics.
pub(crate) const METRICS_JSON: &str =
    r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a"},{"name":"b"}]}]}]}"#;

/// The span of [`TRACES_JSON`].
pub(crate) const TRACES_PROTOBUF: &[u8] = b"\x0a\x23\x12\x21\x12\x1f\
    \x0a\x10\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c\
    \x12\x08\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74\
    \x2a\x01s";

/// Three spans: the middle one's name is a number.
pub(crate) fn one_bad_of_three() -> Vec<u8> {
    protobuf(&[b"\x2a\x01a", b"\x28\x07", b"\x2a\x01b"])
}

/// The same in JSON.
pub(crate) const ONE_BAD_OF_THREE: &str =
    r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":{}},{"name":"b"}]}]}]}"#;

/// A request of records, all in one scope of one resource.
pub(crate) fn protobuf(records: &[&[u8]]) -> Vec<u8> {
    let scope: Vec<u8> = records.iter().flat_map(|record| field(2, record)).collect();
    field(1, &field(2, &scope))
}

/// A length-delimited field.
pub(crate) fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut length = value.len();
    let mut field = vec![number << 3 | 2];
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend_from_slice(value);
    field
}
