//! Compilers, bundlers and builders.

use super::super::super::family::Family;
use super::Says::{Closed, Failed, Hint, Passed};
use super::{Says, Tool};

const fn tool(runs: &'static [&'static str], forms: &'static [(Says, &'static str)]) -> Tool {
    Tool { runs, family: Family::Build, is_quiet: false, forms }
}

pub(super) const TOOLS: &[Tool] = &[
    // cargo 1.93.
    tool(
        &["cargo build", "cargo check", "cargo clippy", "cargo doc", "cargo run", "cargo b", "cargo c"],
        &[
            (Closed, r"^ +Finished `?[a-z]+`? (?:profile )?\["),
            (Failed, r"^error: could not compile `"),
            (Failed, r"^error: (?:no such command|failed to|could not find|package ID|the lock file)"),
            (Hint, r"^error(?:\[E[0-9]{4}\])?: "),
        ],
    ),
    // go 1.19 to 1.24.
    Tool {
        runs: &["go build", "go vet", "go install", "go run", "go generate", "staticcheck"],
        family: Family::Build,
        is_quiet: true,
        forms: &[
            (Failed, r"^(?:\./|\.\./)?[\w./@-]+\.go:[0-9]+(?::[0-9]+)?: "),
            (Failed, r"^vet: "),
            (
                Failed,
                r"^(?:go: .*(?:cannot find|not found|no such|errors? parsing)|no required module provides )",
            ),
            (Failed, r"^(?:package \S+ is not in |pattern \S+: |stat \S+: directory not found)"),
        ],
    },
    // Next.js 14, Vite 5 to 7, webpack 5, tsup 8, esbuild 0.2x.
    tool(
        &["next build", "vite build", "webpack", "rollup", "tsup", "esbuild", "ng build", "astro build"],
        &[
            (Closed, r"^ *✓ (?:Compiled successfully|built in )"),
            (Failed, r"^ *Failed to compile\b"),
            (Failed, r"^error during build:"),
            (Failed, r"^(?:x|✗) Build failed in "),
            (Closed, r"\bcompiled (?:successfully|with [0-9]+ warnings?) in "),
            (Failed, r"\bcompiled with [1-9][0-9]* errors?"),
            (Failed, r"^[1-9][0-9]* errors?$"),
            (Closed, r"⚡️ Build success in "),
            (Failed, r"^✘ \[ERROR\] "),
        ],
    ),
    // .NET 8.
    tool(
        &["dotnet build", "dotnet publish"],
        &[
            (Closed, r"^ *Build succeeded\b"),
            (Failed, r"^ *Build FAILED\."),
            (Hint, r"^\S.*\([0-9]+,[0-9]+\): error [A-Z]+[0-9]+: "),
        ],
    ),
    // Gradle 8, Maven 3.9.
    tool(
        &["gradle", "./gradlew", "gradlew", "mvn", "./mvnw", "mvnw"],
        &[
            (Passed, r"^BUILD SUCCESSFUL in "),
            (Failed, r"^(?:BUILD FAILED\b|FAILURE: Build failed )"),
            (Passed, r"^\[INFO\] BUILD SUCCESS$"),
            (Failed, r"^\[(?:INFO|ERROR)\] BUILD FAILURE$"),
        ],
    ),
    // gcc 12, clang 16, CMake 3.2x, ninja 1.11.
    tool(
        &["gcc", "g++", "clang", "clang++", "cmake", "ninja", "meson"],
        &[
            (Failed, r"^ninja: (?:build stopped|error): "),
            (Failed, r"^CMake Error"),
            (Failed, r"^-- Configuring incomplete, errors occurred!"),
            (Hint, r"^\S+\.(?:c|cc|cpp|cxx|h|hpp|m):[0-9]+:[0-9]+: (?:fatal )?error: "),
            (Hint, r"^collect2: error: "),
        ],
    ),
    // Docker 24 to 28, Compose 2.
    tool(
        &["docker build", "docker buildx", "docker compose", "docker-compose"],
        &[
            (Failed, r"^ERROR: failed to (?:solve|build)"),
            (Failed, r"^failed to solve: "),
            (Failed, r"^(?:Error response from daemon: |Cannot connect to the Docker daemon)"),
            (Failed, r"^(?:no configuration file provided: |service .* didn't complete successfully)"),
        ],
    ),
    // Terraform 1.5 to 1.9.
    Tool {
        runs: &["terraform", "tofu"],
        family: Family::Other,
        is_quiet: false,
        forms: &[
            (Failed, r"^(?:│ )?Error: "),
            (Passed, r"^Apply complete! "),
            (Passed, r"^Success! The configuration is valid"),
            (Passed, r"^(?:Plan: [0-9]+ to add|No changes\. )"),
        ],
    },
];
