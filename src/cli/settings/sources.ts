import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, usageError } from "../../shared/errors.js";
import { text } from "../values/options.js";
import { aliasOf, defaultOf, type SettingName, settingNames, variableOf } from "./settings.js";

/** A value as its source gave it, and how a message names that source. */
export interface Sourced {
  readonly raw: unknown;
  readonly source: string;
}

export type SourcedSettings = Readonly<Record<SettingName, Sourced>>;

/** Checks a raw value; throws a usage error that names the flag. */
export type Check<T> = (flag: string, raw: unknown) => T;

/** The value of a setting, checked; the error for a bad value names its source. */
export type GetSetting = <T>(name: SettingName, check: Check<T>) => T;

export const CONFIG_FILE = "loopool.config.json";
const CONFIG_VARIABLE = variableOf("config");
/** Variables of loopool's own tests. */
const TEST_PREFIX = "LOOPOOL_TEST_";

/**
 * Flags over variables over the file over defaults. The file is the one named by --config or LOOPOOL_CONFIG ("off": none), else
 * loopool.config.json in the working directory if there is one. With --config off flags alone count, so that a measured server does not
 * depend on where it is started. Throws a usage error for what cannot be read and for names that are
 * no setting.
 */
export function gather(
  flags: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | undefined>>,
  folder: string,
): SourcedSettings {
  const environment = flags["config"] === "off" ? {} : variables;
  checkVariables(environment);
  const file = readFile(flags["config"], environment[CONFIG_VARIABLE], folder);
  const sourced = (name: SettingName): Sourced => {
    if (flags[name] !== undefined) return { raw: flags[name], source: `--${name}` };
    const names = namesOf(name);
    for (const variable of names.map(variableOf)) {
      if (environment[variable] !== undefined) return { raw: environment[variable], source: variable };
    }
    for (const key of names) {
      if (file?.values[key] !== undefined) return { raw: file.values[key], source: `"${key}" in ${file.name}` };
    }
    return { raw: defaultOf(name), source: "default" };
  };
  return Object.fromEntries(settingNames.map((name) => [name, sourced(name)])) as Record<SettingName, Sourced>;
}

/** The names a setting has: its present one first. yargs knows the former ones of flags by itself. */
function namesOf(name: SettingName): readonly string[] {
  const alias = aliasOf(name);
  return alias === undefined ? [name] : [name, alias];
}

function checkVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const allowed = [...settingNames.flatMap(namesOf).map(variableOf), CONFIG_VARIABLE];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("LOOPOOL_") || name.startsWith(TEST_PREFIX) || allowed.includes(name)) continue;
    const present = [...settingNames.map(variableOf), CONFIG_VARIABLE];
    throw usageError(`the variable ${name} is no setting: unset it; there are ${present.join(", ")}`);
  }
}

function readFile(flag: unknown, variable: string | undefined, folder: string) {
  const named = flag !== undefined ? text("config", flag) : variable;
  if (named === "off") return null;
  const source = flag !== undefined ? "--config" : variable !== undefined ? CONFIG_VARIABLE : null;
  const name = named ?? CONFIG_FILE;
  const where = source === null ? name : `${source} ${name}`;
  let content: string;
  try {
    content = readFileSync(resolve(folder, name), "utf8");
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw usageError(`${where} cannot be read: ${messageOf(error)}`);
  }
  const values = parse(content, where);
  const allowed: readonly string[] = [...settingNames.flatMap(namesOf), "$schema"];
  for (const key of Object.keys(values)) {
    if (!allowed.includes(key)) {
      throw usageError(`${where} has an unknown key "${key}"; allowed: ${settingNames.join(", ")}`);
    }
  }
  return { name, values };
}

function parse(content: string, where: string): Readonly<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch (error) {
    const position = /at position (\d+)/.exec(messageOf(error))?.[1];
    throw usageError(
      `${where} is no JSON${position === undefined ? "" : whereIs(content, Number(position))}: ${messageOf(error)}`,
    );
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw usageError(`${where} must hold one JSON object`);
  }
  return parsed as Readonly<Record<string, unknown>>;
}

/** Not every mistake has a position in what JSON.parse says; where it has none, it shows the text around it. */
function whereIs(content: string, position: number): string {
  const before = content.slice(0, position).split("\n");
  return `, see line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
