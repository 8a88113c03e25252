import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { messageOf, usageError } from "../../shared/errors.js";
import { text } from "../values/options.js";

/** Bodies of requests. Each function throws a usage error that names the flag, or the place in a file that `where` is. */

type Values = Readonly<Record<string, unknown>>;

/** A body and what it is; null: not known. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly type: string | null;
}

export function bodyOf(argv: Values): Body | null {
  const given = (["body", "body-file", "form"] as const).filter((flag) => argv[flag] !== undefined);
  if (given.length > 1) throw usageError(`--${given[0]} and --${given[1]} both name the body: leave one out`);
  if (argv["body"] !== undefined) return textBody(text("body", argv["body"]));
  if (argv["body-file"] !== undefined) return fileBody("--body-file", text("body-file", argv["body-file"]));
  if (argv["form"] !== undefined) return formBody([argv["form"]].flat().map(String));
  return null;
}

/** Valid JSON is sent as such: what an application that parses bodies expects. */
export function textBody(body: string): Body {
  return { bytes: Buffer.from(body), type: /^\s*[[{]/.test(body) && isJson(body) ? "application/json" : null };
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

/** `where` names the flag or the place in a file. */
export function fileBody(where: string, file: string): Body {
  try {
    return { bytes: readFileSync(file), type: extname(file) === ".json" ? "application/json" : null };
  } catch (error) {
    throw usageError(`${where} ${file} cannot be read: ${messageOf(error)}`);
  }
}

const BOUNDARY = "----loopool-form-4f1c2a9be07d";

/** A form as a browser sends it: multipart where it has a file. */
function formBody(parts: readonly string[]): Body {
  const fields = parts.map((part) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      throw usageError(`--form must be "name=value" or "name=@file", not "${part}"`);
    }
    return [name, value] as const;
  });
  if (!fields.some(([, value]) => value.startsWith("@"))) {
    const form = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value]));
    return { bytes: Buffer.from(form.toString()), type: "application/x-www-form-urlencoded" };
  }
  const quoted = (value: string): string => value.replace(/["\r\n]/g, (char) => encodeURIComponent(char));
  const chunks = fields.flatMap(([name, value]) => {
    const isFile = value.startsWith("@");
    const file = value.slice(1);
    const head =
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${quoted(name)}"` +
      (isFile ? `; filename="${quoted(basename(file))}"\r\nContent-Type: application/octet-stream` : "");
    const content = isFile ? fileBody(`--form ${name}`, file).bytes : Buffer.from(value);
    return [Buffer.from(`${head}\r\n\r\n`), content, Buffer.from("\r\n")];
  });
  return {
    bytes: Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]),
    type: `multipart/form-data; boundary=${BOUNDARY}`,
  };
}
