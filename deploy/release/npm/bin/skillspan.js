#!/usr/bin/env node
// Starts the program that the package of this platform holds, with the same arguments, input and output.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const name = `skillspan-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/bin/skillspan`);
} catch {
  console.error(
    `skillspan has no package for ${process.platform} on ${process.arch}, or npm left it out (--no-optional).\n` +
      `Install it with \`npm install ${name}\` if there is one, else build it: cargo install --path . --locked`,
  );
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A signal to the launcher alone has to stop the program too. Ctrl-C reaches both by itself.
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  process.on(signal, () => signal === "SIGINT" || child.kill(signal));
}
child.on("error", (error) => {
  console.error(`skillspan cannot be started: ${error.message} (${program})`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
