import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { TlsConfig } from "../../shared/config.js";
import { messageOf, usageError } from "../../shared/errors.js";
import { oneOf, text } from "../values/options.js";
import type { GetSetting, SourcedSettings } from "./sources.js";

/**
 * `--tls-cert` and `--tls-key`, or `--tls-self-signed`; null without. Throws a usage error for one without the other and for files that are
 * not what they should be: µWS says no more than that it cannot start.
 */
export function tlsConfig(sourced: SourcedSettings, get: GetSetting): TlsConfig | null {
  const isSelfSigned = get("tls-self-signed", (flag, raw) => oneOf(flag, raw, ["on", "off"])) === "on";
  const { "tls-cert": cert, "tls-key": key } = sourced;
  if (isSelfSigned) {
    const other = [cert, key].find(({ raw }) => raw !== undefined);
    if (other === undefined) return "self-signed";
    throw usageError(`${sourced["tls-self-signed"].source} and ${other.source} are two certificates: leave one out`);
  }
  if (cert.raw === undefined && key.raw === undefined) return null;
  if (key.raw === undefined) throw usageError(`${cert.source} needs the private key too: name its file with --tls-key`);
  if (cert.raw === undefined)
    throw usageError(`${key.source} needs the certificate too: name its file with --tls-cert`);
  const certificate = get("tls-cert", certificateIn);
  return get("tls-key", (flag, raw) => {
    const found = keyIn(flag, raw);
    if (!certificate.parsed.checkPrivateKey(found.parsed)) {
      throw usageError(
        `--${flag} ${found.file} is not the key of the certificate in ${certificate.file}: name the files of one pair`,
      );
    }
    try {
      createSecureContext({ cert: certificate.pem, key: found.pem });
    } catch (error) {
      throw usageError(`--${flag} ${found.file} and ${certificate.file} cannot be used for TLS: ${reason(error)}`);
    }
    return { certFile: certificate.file, keyFile: found.file };
  });
}

interface Pem<T> {
  readonly file: string;
  readonly pem: string;
  readonly parsed: T;
}

function certificateIn(flag: string, raw: unknown): Pem<X509Certificate> {
  return pemIn(flag, raw, "certificate", "-----BEGIN CERTIFICATE-----", (pem) => new X509Certificate(pem));
}

function keyIn(flag: string, raw: unknown): Pem<KeyObject> {
  return pemIn(flag, raw, "private key without a passphrase", "PRIVATE KEY-----", createPrivateKey);
}

function pemIn<T>(flag: string, raw: unknown, what: string, begin: string, parse: (pem: string) => T): Pem<T> {
  const file = resolve(text(flag, raw));
  let pem: string;
  try {
    pem = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`--${flag} ${file} cannot be read: ${messageOf(error)}`);
  }
  const told = `--${flag} ${file} must hold a ${what} in PEM form`;
  // X509Certificate takes DER too, which µWS does not.
  if (!pem.includes(begin)) throw usageError(`${told}: convert it with openssl`);
  try {
    return { file, pem, parsed: parse(pem) };
  } catch (error) {
    throw usageError(`${told}: ${reason(error)}`);
  }
}

/** OpenSSL's own words are "error:0909006C:PEM routines:get_name:no start line". */
function reason(error: unknown): string {
  return messageOf(error).split(":").at(-1)!.trim();
}
