import { readFileSync } from "node:fs";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";

/** The shapes of the files that loopool writes, each described by a schema in the package's folder `schemas` (JSON Schema, draft 2020-12). */
export const schemaNames = [
  "loopool-load/3",
  "loopool-sweep/3",
  "loopool-report/2",
  "loopool-change/2",
  "loopool-requests/1",
  "loopool-break-even/1",
  "loopool-break-even-report/1",
] as const;

export type SchemaName = (typeof schemaNames)[number];

/** Beside the sources as beside the build. */
const folder = new URL(import.meta.url.endsWith(".ts") ? "../../../schemas/" : "../../../../schemas/", import.meta.url);

function fileOf(name: SchemaName): string {
  return `${name.replace("/", "-")}.schema.json`;
}

/** A schema as it ships. */
export function schemaOf(name: SchemaName): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(fileOf(name), folder), "utf8")) as Record<string, unknown>;
}

const compiled = new Map<SchemaName, ValidateFunction>();

async function validatorOf(name: SchemaName): Promise<ValidateFunction> {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  // The validator takes long to load, and every command of the CLI imports this file.
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020({ allowUnionTypes: true, validateFormats: false, verbose: true });
  for (const other of schemaNames) ajv.addSchema(schemaOf(other), fileOf(other));
  const validate = ajv.getSchema(fileOf(name)) as ValidateFunction;
  compiled.set(name, validate);
  return validate;
}

/** What keeps a value from being what a schema describes, in one line with the location inside it; null where nothing does. */
export async function misfitOf(name: SchemaName, value: unknown): Promise<string | null> {
  const validate = await validatorOf(name);
  if (validate(value)) return null;
  const errors = validate.errors ?? [];
  const depth = ({ instancePath }: ErrorObject): number => instancePath.split("/").length;
  // Of the branches of an alternative the one that was meant fails farthest inside.
  const deepest = Math.max(...errors.map(depth));
  return wordsOf(errors.filter((error) => depth(error) === deepest));
}

function wordsOf(errors: readonly ErrorObject[]): string {
  const [first] = errors;
  if (first === undefined) return "it is not as described";
  const location = locationOf(first.instancePath);
  if (first.keyword === "required") return `${location} lacks ${first.params["missingProperty"]}`;
  const types = errors.filter(({ keyword }) => keyword === "type").flatMap(({ params }) => params["type"]);
  if (first.keyword === "type") return `${location} is ${kindOf(first.data)}, not ${types.join(" or ")}`;
  if (first.keyword === "pattern")
    return `${location} must match ${first.params["pattern"]}, not ${briefly(first.data)}`;
  if (first.keyword === "not")
    return `${location} must not be ${briefly(first.data)}: every JavaScript object has that`;
  const allowed = first.keyword === "enum" ? `: ${first.params["allowedValues"].join(", ")}` : "";
  return `${location} ${first.message}${allowed}`;
}

function briefly(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** `/trials/3/run/sent` as a reader of JavaScript writes it: `trials[3].run.sent`. */
function locationOf(pointer: string): string {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const text = keys.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join("");
  return text === "" ? "it" : text.replace(/^\./, "");
}

/** The name JSON has for the kind of a value. */
function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
