// Usage: node cloudformation.js FILE…
// Checks CloudFormation templates against the resource specification that AWS publishes (types, properties, values), and
// that every reference leads somewhere and every declaration is used. Prints one finding per line, and exits with 1 if
// there are any.
import { readFileSync } from "node:fs";
import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

const functions = ["Ref", "GetAtt", "Sub", "If", "Equals", "Not", "And", "Or", "Condition", "Select", "GetAZs", "Base64"];
const pseudo = ["AccountId", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix"].map((name) => `AWS::${name}`);
const sections = ["AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Conditions", "Resources", "Outputs"];
const attributes = ["Type", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Properties"];
const largest = 51_200;

const spec = await loadAwsServiceSpec();
let findings = 0;

for (const file of process.argv.slice(2)) check(file);
process.exitCode = findings === 0 ? 0 : 1;

function check(file) {
  const text = readFileSync(file, "utf8");
  const lines = new LineCounter();
  const collection = { map: "map", seq: "seq", scalar: undefined };
  const customTags = functions.flatMap((name) => Object.entries(collection).map(([, kind]) =>
    kind ? { tag: `!${name}`, collection: kind } : { tag: `!${name}`, resolve: (value) => value }));
  const document = parseDocument(text, { lineCounter: lines, customTags, prettyErrors: false });
  const at = (node) => (node?.range ? lines.linePos(node.range[0]).line : 1);
  const find = (node, message) => {
    console.log(`${file}:${at(node)}: ${message}`);
    findings++;
  };

  for (const problem of [...document.errors, ...document.warnings]) find({ range: problem.pos }, problem.message);
  if (text.length > largest) find(null, `the template has ${text.length} bytes; without an S3 bucket, CloudFormation accepts ${largest}`);
  const root = document.contents;
  const members = (node) => (isMap(node) ? node.items.map(({ key, value }) => [String(key.value), value, key]) : []);
  const section = (name) => new Map(members(root.get(name)).map(([key, value]) => [key, value]));
  for (const [name, , key] of members(root)) if (!sections.includes(name)) find(key, `unknown section ${name}`);
  const [parameters, conditions, resources, outputs] = ["Parameters", "Conditions", "Resources", "Outputs"].map(section);
  const used = new Set();
  const needs = new Map();   // resource → the resources it refers to, which are created first
  let named = used;
  const typeOf = (name) => resources.get(name)?.get("Type");
  const definitionOf = (type) => spec.lookup("resource", "cloudFormationType", "equals", type)[0];

  const reference = (name, node) => {
    used.add(name);
    named.add(name);
    if (!pseudo.includes(name) && !parameters.has(name) && !resources.has(name)) find(node, `${name} is neither a parameter nor a resource`);
  };
  const attribute = (path, node) => {
    const [name, ...rest] = path.split(".");
    used.add(name);
    named.add(name);
    const type = typeOf(name);
    if (!type) find(node, `${name} is not a resource`);
    else if (!(rest.join(".") in (definitionOf(type)?.attributes ?? {}))) find(node, `${type} has no attribute ${rest.join(".")}`);
  };
  const condition = (name, node) => {
    used.add(name);
    if (!conditions.has(name)) find(node, `there is no condition ${name}`);
  };
  // Name and argument if the node is a function call, in its short or long form.
  const called = (node) => {
    if (node?.tag?.startsWith("!") && !node.tag.startsWith("!!")) return [node.tag.slice(1), node];
    const [only, ...more] = members(node);
    return only && more.length === 0 && (only[0].startsWith("Fn::") || ["Ref", "Condition"].includes(only[0])) && functions.includes(only[0].replace("Fn::", ""))
      ? [only[0].replace("Fn::", ""), only[1]] : [];
  };

  // "{ default: a, b }" has two members, the second one without a value.
  const nulls = (node, near) => {
    if (!node || (isScalar(node) && node.value === null)) find(node ?? near, "CloudFormation rejects an empty value; inside braces, text with a comma needs quotes");
    else if (isMap(node)) for (const { key, value } of node.items) nulls(value, key);
    else if (isSeq(node)) for (const item of node.items) nulls(item, node);
  };
  nulls(root, root);

  // Checks all references. In a policy statement, Condition belongs to IAM.
  const walk = (node, inPolicy = false) => {
    const [name, argument] = called(node);
    if (name === "Ref") reference(argument.value, node);
    else if (name === "GetAtt") attribute(isSeq(argument) ? argument.items.map((item) => item.value).join(".") : argument.value, node);
    else if (name === "If") condition(argument.items[0].value, node);
    else if (name === "Condition" && isScalar(argument) && !inPolicy) condition(argument.value, node);
    else if (name === "Sub") {
      const own = isSeq(argument) ? members(argument.items[1]).map(([key]) => key) : [];
      const body = isSeq(argument) ? argument.items[0].value : argument.value;
      for (const [, variable] of body.matchAll(/\$\{([^!}][^}]*)\}/g)) {
        if (own.includes(variable)) continue;
        if (variable.includes(".")) attribute(variable, node);
        else reference(variable, node);
      }
    }
    if (isMap(node)) for (const [key, value] of members(node)) walk(value, inPolicy || key === "PolicyDocument" || key === "AssumeRolePolicyDocument");
    if (isSeq(node)) for (const item of node.items) walk(item, inPolicy);
  };
  for (const name of ["Rules", "Conditions", "Outputs"]) walk(root.get(name));

  const scalarFits = { string: ["string", "number", "boolean"], integer: ["number"], number: ["number"], boolean: ["boolean"], "date-time": ["string"] };
  const fits = (node, type, path) => {
    const [name, argument] = called(node);
    if (name === "If") {
      for (const branch of argument.items.slice(1)) fits(branch, type, path);
      return;
    }
    if (name) return;   // its value is only known when the stack is created
    if (type.type === "json" || type.type === "null") return;
    if (type.type === "union") {
      if (type.types.some((one) => one.type === "json")) return;
      const before = findings;
      const said = console.log;
      console.log = () => {};
      const one = type.types.some((option) => { const start = findings; fits(node, option, path); return findings === start; });
      console.log = said;
      findings = before;
      if (!one) find(node, `${path} matches none of its possible types`);
    } else if (type.type === "array") {
      if (!isSeq(node)) find(node, `${path} must be a list`);
      else node.items.forEach((item, at) => fits(item, type.element, `${path}[${at}]`));
    } else if (type.type === "map") {
      if (!isMap(node)) find(node, `${path} must be a mapping`);
      else for (const [key, value] of members(node)) fits(value, type.element, `${path}.${key}`);
    } else if (type.type === "ref") properties(node, spec.get("typeDefinition", type.reference.$ref).properties, path);
    else if (type.type === "tag") properties(node, { Key: { type: { type: "string" }, required: true }, Value: { type: { type: "string" }, required: true } }, path);
    else if (!isScalar(node) || !(scalarFits[type.type] ?? []).includes(typeof node.value)) find(node, `${path} must be a ${type.type}`);
    else if (type.allowedValues && !type.allowedValues.includes(node.value)) find(node, `${path} is ${node.value}; it must be one of ${type.allowedValues.join(", ")}`);
  };
  const properties = (node, known, path) => {
    if (!isMap(node)) {
      find(node, `${path} must be a mapping`);
      return;
    }
    const given = new Set();
    for (const [name, value, key] of members(node)) {
      given.add(name);
      if (known[name]) fits(value, known[name].type, path ? `${path}.${name}` : name);
      else find(key, `${path || "the resource"} has no property ${name}`);
    }
    for (const [name, property] of Object.entries(known)) if (property.required && !given.has(name)) find(node, `${path || "the resource"} needs the property ${name}`);
  };

  for (const [name, resource] of resources) {
    const definition = definitionOf(resource.get("Type"));
    if (!definition) {
      find(resource, `${name}: AWS has no type ${resource.get("Type")}`);
      continue;
    }
    needs.set(name, named = new Set());
    for (const [key, value, node] of members(resource)) {
      if (!attributes.includes(key)) find(node, `${name} has no attribute ${key}`);
      if (key === "Condition") condition(value.value, value);
      else walk(value);
      if (key === "DependsOn") for (const other of isSeq(value) ? value.items : [value]) reference(other.value, other);
    }
    if (resource.has("Properties")) properties(resource.get("Properties"), definition.properties, "");
  }
  const cycle = (name, path) => (path.includes(name) ? [...path, name] : [...(needs.get(name) ?? [])].map((next) => cycle(next, [...path, name])).find(Boolean));
  for (const [name, resource] of resources) {
    const found = cycle(name, []);
    if (found?.at(-1) === name) find(resource, `a cycle: ${found.join(" needs ")}`);
  }
  for (const [, output] of outputs) if (output.has("Condition")) condition(output.get("Condition"), output);
  for (const [name, node] of [...parameters, ...conditions]) if (!used.has(name)) find(node, `${name} is declared and never used`);
  const grouped = root.getIn(["Metadata", "AWS::CloudFormation::Interface", "ParameterGroups"])?.items.flatMap((group) => group.get("Parameters").items.map((item) => item.value)) ?? [];
  for (const name of parameters.keys()) if (!grouped.includes(name)) find(parameters.get(name), `${name} is in no group`);
  for (const name of grouped) if (!parameters.has(name)) find(root, `a group contains ${name}, which is not a parameter`);
}
