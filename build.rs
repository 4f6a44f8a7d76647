//! Says for which systems the binary is, and how it is linked.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_UNIX").is_none() {
        // Before thousands of errors say the same.
        println!(
            "cargo::error=skillspan runs on Linux and macOS; on Windows, run it in the Windows Subsystem for Linux"
        );
        return;
    }
    if links_with_glibc() {
        link_at_a_fixed_address();
        link_the_unwinder();
    }
}

/// Whether the binary needs glibc where it runs. A static binary, as the images have, does not.
fn links_with_glibc() -> bool {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    target("OS") == "linux" && target("ENV") == "gnu" && !is_static
}

/// A position-independent executable has 72,000 addresses to correct before `main`, on 280 pages: a quarter
/// of all that `skillspan hook` takes, which an assistant waits for at every step. Heap, stack and shared
/// libraries are where chance puts them, as before.
fn link_at_a_fixed_address() {
    println!("cargo::rustc-link-arg-bins=-no-pie");
}

/// Takes what unwinds stacks from the C compiler's archive, where it has one. Loading `libgcc_s.so` for it
/// takes a twentieth of what a hook does: it is one library more to search for every name, and asks the
/// processor what it can do, which a virtual machine answers slowly.
fn link_the_unwinder() {
    let linker = std::env::var_os("RUSTC_LINKER");
    let is_cross = std::env::var_os("HOST") != std::env::var_os("TARGET");
    if is_cross && linker.is_none() {
        return;
    }
    let compiler = linker.unwrap_or_else(|| "cc".into());
    let Ok(answer) = Command::new(compiler).arg("-print-file-name=libgcc_eh.a").output() else { return };
    let answer = String::from_utf8_lossy(&answer.stdout);
    let archive = Path::new(answer.trim());
    // What it does not have it prints without a folder.
    if let Some(folder) = archive.parent().filter(|_| archive.is_absolute() && archive.exists()) {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
