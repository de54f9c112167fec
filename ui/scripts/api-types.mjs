/**
 * Writes src/api/generated.ts: the messages of the API as TypeScript types, from the server's OpenAPI document.
 *
 *   npm run api-types -- openapi.json          write the file
 *   npm run api-types -- --check openapi.json  fail when the file says something else
 *
 * `-` in place of the path reads the document from standard input. The generator that is common elsewhere wants an older
 * TypeScript than ours; the document uses a small part of JSON Schema, and a form it does not know stops this script.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { argv, exit, stderr, stdin } from "node:process";
import { text } from "node:stream/consumers";

const TARGET = new URL("../src/api/generated.ts", import.meta.url);
const HEAD = "/** Written by scripts/api-types.mjs from the server's OpenAPI document. Do not edit. */\n";

function typeOf(schema) {
  if (schema.$ref !== undefined) return schema.$ref.replace("#/components/schemas/", "");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(" | ");
  switch (schema.type) {
    case "string":
      return "string";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "null":
      return "null";
    case "array":
      if (schema.prefixItems !== undefined) return `readonly [${schema.prefixItems.map(typeOf).join(", ")}]`;
      return `readonly ${wrapped(typeOf(schema.items))}[]`;
    case "object":
      if (schema.properties === undefined) return `Readonly<Record<string, ${typeOf(schema.additionalProperties)}>>`;
      break;
  }
  if (schema.type === undefined && Object.keys(schema).every((key) => key === "description" || key === "title")) return "unknown";
  throw new Error(`api-types: a form of schema that it does not know: ${JSON.stringify(schema)}`);
}

function wrapped(type) {
  return type.includes(" | ") ? `(${type})` : type;
}

function declaration(name, schema) {
  if (schema.properties === undefined) return `export type ${name} = ${typeOf(schema)};\n`;
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties).map(([key, value]) => {
    return `  readonly ${key}${required.has(key) ? "" : "?"}: ${typeOf(value)};\n`;
  });
  return `export interface ${name} {\n${fields.join("")}}\n`;
}

const isCheck = argv.includes("--check");
const path = argv.slice(2).find((argument) => !argument.startsWith("--"));
if (path === undefined) {
  stderr.write("api-types: give the path of openapi.json, or - for standard input\n");
  exit(2);
}
const document = JSON.parse(path === "-" ? await text(stdin) : readFileSync(path, "utf8"));
const schemas = Object.entries(document.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1));
const types = `${HEAD}\n${schemas.map(([name, schema]) => declaration(name, schema)).join("\n")}`;
if (!isCheck) writeFileSync(TARGET, types);
else if (readFileSync(TARGET, "utf8") !== types) {
  stderr.write("src/api/generated.ts is stale: the API has changed; run `npm run api-types` and look at what it says\n");
  exit(1);
}
