import { readFileSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { isUnixUrl, type Target, targetOf } from "../harness/load/request/options.js";
import { messageOf, usageError } from "../shared/errors.js";
import { text } from "./values/options.js";

type Values = Readonly<Record<string, unknown>>;

/** Flags of `load` that say where requests go, and take a value. `--insecure` is beside them. */
export const targetFlags = {
  "unix-socket": {
    describe: "path of a Unix-domain socket to connect to; or give unix:/path/to.sock:/route as the URL",
  },
  ca: { describe: "file with the authorities, PEM, to trust with https://, in place of Node's" },
} as const;

/** Whether a text is meant as what is to be loaded. */
export function isTarget(value: string): boolean {
  return /^\w+:\/\//.test(value) || isUnixUrl(value);
}

/** The target that the URL and the flags name. Throws a usage error for what the generator cannot speak to. */
export function loadTargetOf(argv: Values): Target {
  const { url } = argv;
  if (typeof url !== "string") throw usageError("name the URL to load, like http://localhost:9090/");
  const flag = argv["unixSocket"] === undefined ? null : text("unix-socket", argv["unixSocket"]);
  if (isUnixUrl(url)) {
    const target = targetOf(url);
    if (flag !== null) throw usageError(`"${url}" names a socket already: leave out --unix-socket`);
    if (!isAbsolute(target.socketPath ?? ""))
      throw usageError(`"${url}": name the socket by its whole path, like unix:/run/app.sock:/`);
    checkTlsFlags(argv, url);
    return target;
  }
  const target = httpTarget(url, argv);
  if (flag === null) return target;
  if (argv["localAddress"] !== undefined)
    throw usageError("--unix-socket has no address to connect from: leave out --local-address");
  return { ...target, socketPath: resolve(flag) };
}

function httpTarget(url: string, argv: Values): Target {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw usageError(`"${url}" is not a URL: give one like http://localhost:9090/`);
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw usageError(`"${url}": http://, https:// and unix: can be measured, not ${parsed.protocol}//`);
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw usageError(`"${url}" has credentials in it: send them with --header "Authorization: …"`);
  }
  const target = targetOf(parsed);
  const insecure = argv["insecure"] === true;
  const ca = argv["ca"] === undefined ? null : authoritiesOf(text("ca", argv["ca"]));
  if (target.tls) return { ...target, tls: { insecure, ca } };
  checkTlsFlags(argv, url);
  return target;
}

function checkTlsFlags(argv: Values, url: string): void {
  const flag = argv["insecure"] === true ? "insecure" : argv["ca"] === undefined ? null : "ca";
  if (flag !== null) throw usageError(`--${flag} is for https://, and "${url}" has no TLS: leave it out`);
}

export function authoritiesOf(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`--ca ${file} cannot be read: ${messageOf(error)}`);
  }
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw usageError(`--ca ${file} has no certificate in PEM: it must hold "-----BEGIN CERTIFICATE-----"`);
}
