//! Compiles `proto/` with protox, a compiler written in Rust, so that building needs no `protoc`, and says
//! how the binary is linked.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    link_at_a_fixed_address();
    let files = ["skillspan/v1/session.proto"];
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}

/// A position-independent executable has 72,000 addresses to correct before `main`, on 280 pages: a quarter
/// of all that `skillspan hook` takes, which an assistant waits for at every step. Heap, stack and shared
/// libraries are where chance puts them, as before. A static binary, as the images have, stays as it is.
fn link_at_a_fixed_address() {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
