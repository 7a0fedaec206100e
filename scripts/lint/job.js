// Usage: node job.js WORKFLOW JOB <CONTEXTS
// Prints a job as GitHub would run it with CONTEXTS (a JSON object: github, vars, secrets, steps): whether its `if` is
// true, and its steps with all expressions evaluated by GitHub's own library.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";

const [file, name] = process.argv.slice(2);
const workflow = parse(readFileSync(file, "utf8"));
const job = workflow.jobs[name];
const contexts = JSON.parse(readFileSync(0, "utf8"));

function toData(value) {
  switch (typeof value) {
    case "string": return new data.StringData(value);
    case "number": return new data.NumberData(value);
    case "boolean": return new data.BooleanData(value);
  }
  if (value === null) return new data.Null();
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  return new data.Dictionary(...Object.entries(value).map(([key, item]) => ({ key, value: toData(item) })));
}
function evaluate(expression) {
  const { tokens } = new Lexer(expression).lex();
  return new Evaluator(new Parser(tokens, Object.keys(contexts), []).parse(), toData(contexts)).evaluate();
}
function fill(value) {
  if (typeof value === "string") return value.replace(/\$\{\{(.*?)\}\}/gs, (_, expression) => evaluate(expression).coerceString());
  if (value === null || typeof value !== "object") return String(value ?? "");
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
}

contexts.env = fill(job.env ?? {});
console.log(JSON.stringify({
  on: workflow.on,
  concurrency: workflow.concurrency,
  permissions: { workflow: workflow.permissions, job: job.permissions },
  runs: job.if === undefined || !["false", "", "0"].includes(evaluate(job.if).coerceString()),
  shell: workflow.defaults?.run?.shell ?? null,
  env: contexts.env,
  steps: job.steps.map((step) => ({ ...step, env: fill(step.env ?? {}), with: fill(step.with ?? {}), run: step.run && fill(step.run) })),
}));
