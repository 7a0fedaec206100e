// Usage: node component.js FILE…
// Checks EC2 Image Builder components against their documentation: phases, actions and their inputs, parameters. bash
// checks the syntax of the commands. Prints one finding per line, and exits with 1 if there are any.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";

// Only the actions that this project uses.
const actions = {
  ExecuteBash: (inputs, find) => {
    exactly(inputs, ["commands"], [], find);
    if (!Array.isArray(inputs.commands) || inputs.commands.some((line) => typeof line !== "string")) {
      return find("commands must be a list of strings");
    }
    const script = inputs.commands.join("\n").replace(/\{\{.*?\}\}/g, "value");
    const { stderr, status } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
    if (status !== 0) find(`invalid bash: ${stderr.trim()}`);
  },
  WebDownload: (inputs, find) => {
    if (!Array.isArray(inputs)) return find("inputs must be a list");
    for (const one of inputs) {
      exactly(one, ["source", "destination"], ["checksum", "algorithm", "overwrite", "ignoreCertificateErrors"], find);
      if (("checksum" in one) !== ("algorithm" in one)) find("checksum and algorithm need each other");
      if (one.algorithm && !["MD5", "SHA1", "SHA256", "SHA512"].includes(one.algorithm)) find(`unknown algorithm ${one.algorithm}`);
    }
  },
};

let findings = 0;
for (const file of process.argv.slice(2)) check(file);
process.exitCode = findings === 0 ? 0 : 1;

function exactly(object, needed, allowed, find) {
  for (const key of needed) if (!(key in (object ?? {}))) find(`needs ${key}`);
  for (const key of Object.keys(object ?? {})) if (![...needed, ...allowed].includes(key)) find(`unknown key ${key}`);
}

function check(file) {
  const text = readFileSync(file, "utf8");
  const document = parseDocument(text);
  const finder = (where) => (message) => {
    console.log(`${file}: ${where}${message}`);
    findings++;
  };
  for (const problem of document.errors) finder("")(problem.message);
  if (document.errors.length > 0) return;
  const component = document.toJS();
  exactly(component, ["name", "schemaVersion", "phases"], ["description", "parameters", "constants"], finder(""));
  if (component.schemaVersion !== 1) finder("")("schemaVersion must be 1.0");
  // A component that is passed inline may have 16,000 characters.
  if (text.length > 16_000) finder("")(`it has ${text.length} characters; 16000 are allowed inline`);

  const declared = new Set();
  for (const parameter of component.parameters ?? []) {
    for (const [name, about] of Object.entries(parameter)) {
      declared.add(name);
      exactly(about, ["type"], ["default", "description", "allowedValues"], finder(`parameter ${name}: `));
      if (!["string", "integer", "boolean"].includes(about?.type)) finder(`parameter ${name}: `)(`unknown type ${about?.type}`);
    }
  }
  const used = new Set([...text.matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)].map(([, name]) => name));
  for (const name of used) if (!declared.has(name)) finder("")(`{{ ${name} }} is not a parameter`);
  for (const name of declared) if (!used.has(name)) finder("")(`the parameter ${name} is never used`);

  const phases = new Set();
  for (const phase of component.phases ?? []) {
    exactly(phase, ["name", "steps"], [], finder(`phase ${phase.name}: `));
    if (!["build", "validate", "test"].includes(phase.name)) finder("")(`unknown phase ${phase.name}`);
    if (phases.has(phase.name)) finder("")(`the phase ${phase.name} exists twice`);
    phases.add(phase.name);
    const steps = new Set();
    for (const step of phase.steps ?? []) {
      const find = finder(`phase ${phase.name}, step ${step.name}: `);
      exactly(step, ["name", "action", "inputs"], ["onFailure", "timeoutSeconds", "maxAttempts", "if", "loop"], find);
      if (steps.has(step.name)) find("the name is used twice");
      steps.add(step.name);
      if (actions[step.action]) actions[step.action](step.inputs, find);
      else find(`unknown action ${step.action}`);
    }
  }
}
