// Usage: node github.js
// Checks .github/dependabot.yml and the issue forms against GitHub's documentation: GitHub silently ignores invalid files.
// Run it in the root of the repository. Prints one finding per line, and exits with 1 if there are any.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";

const manifests = { nuget: "Directory.Packages.props", "github-actions": ".github/workflows", npm: "package.json" };
const fields = {
  markdown: [["value"], []],
  input: [["label"], ["description", "placeholder", "value"]],
  textarea: [["label"], ["description", "placeholder", "value", "render"]],
  dropdown: [["label", "options"], ["description", "multiple", "default"]],
  checkboxes: [["label", "options"], ["description"]],
};

let findings = 0;
dependabot(".github/dependabot.yml");
const forms = ".github/ISSUE_TEMPLATE";
for (const name of readdirSync(forms)) (name === "config.yml" ? chooser : form)(join(forms, name));
process.exitCode = findings === 0 ? 0 : 1;

function read(file) {
  const find = (message) => {
    console.log(`${file}: ${message}`);
    findings++;
  };
  const document = parseDocument(readFileSync(file, "utf8"));
  for (const problem of [...document.errors, ...document.warnings]) find(problem.message);
  return [document.toJS() ?? {}, find];
}

function keys(object, required, optional, where, find) {
  for (const key of required) if (object?.[key] === undefined) find(`${where} needs ${key}`);
  for (const key of Object.keys(object ?? {})) if (![...required, ...optional].includes(key)) find(`${where} has an unknown key ${key}`);
}

function dependabot(file) {
  const [config, find] = read(file);
  keys(config, ["version", "updates"], ["registries"], "the file", find);
  if (config.version !== 2) find("version must be 2");
  for (const update of config.updates ?? []) {
    const where = update["package-ecosystem"];
    const optional = ["groups", "ignore", "allow", "labels", "open-pull-requests-limit"];
    keys(update, ["package-ecosystem", "directory", "schedule"], optional, where, find);
    if (!["daily", "weekly", "monthly"].includes(update.schedule?.interval)) find(`${where} has an unknown interval`);
    const manifest = join(".", update.directory ?? "", manifests[where] ?? "?");
    if (!existsSync(manifest)) find(`${where}: there is no ${manifest}`);
    for (const [name, group] of Object.entries(update.groups ?? {})) {
      keys(group, ["patterns"], ["update-types", "exclude-patterns"], name, find);
    }
    for (const ignored of update.ignore ?? []) {
      keys(ignored, ["dependency-name"], ["update-types", "versions"], `${where}: ignore`, find);
    }
  }
}

function chooser(file) {
  const [config, find] = read(file);
  keys(config, [], ["blank_issues_enabled", "contact_links"], "the file", find);
}

function form(file) {
  const [form, find] = read(file);
  keys(form, ["name", "description", "body"], ["title", "labels", "assignees", "projects", "type"], "the form", find);
  const ids = new Set();
  for (const field of form.body ?? []) {
    const where = field.id ?? field.type;
    keys(field, ["type", "attributes"], ["id", "validations"], where, find);
    if (!fields[field.type]) find(`${where}: unknown type`);
    else keys(field.attributes, ...fields[field.type], where, find);
    keys(field.validations, [], ["required"], where, find);
    if (field.id !== undefined && ids.has(field.id)) find(`the id ${field.id} is used twice`);
    if (field.id !== undefined && !/^[\w-]+$/.test(field.id)) find(`the id ${field.id} has characters other than letters, digits, - and _`);
    ids.add(field.id);
  }
  if (!(form.body ?? []).some((field) => field.type !== "markdown")) find("the form asks for nothing");
}
