# What people type here, by name: `just --list`. https://just.systems
# Nothing needs it: each recipe is one or two commands that work by themselves.

# All that a change must pass
ci:
    .ci/run

# The main job, from OTLP to a skill
demo:
    cargo run --locked -- demo

# Format and lints
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# Every test, or those of a theme: `just test publish`, `just test publish git::`
test theme="" name="":
    cargo test --locked {{ if theme == "" { "" } else { "--test " + theme } }} -- {{ name }}

# The tests that SECURITY.md names
security:
    cargo security

# Writes the generated pages of the reference anew
pages:
    UPDATE_DOCS=1 cargo test --locked --test cli -- pages:: keys::

# The report in a browser (Chromium); pictures go to the folder
browser pictures="target/pictures":
    cargo build --locked
    mkdir -p {{ pictures }}
    tests/browser/report.py target/debug/skillspan {{ pictures }}

# Instructions of the four hottest paths, beside those that the repository keeps
counts:
    benches/counts.sh
