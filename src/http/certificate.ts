import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsConfig } from "../shared/config.js";

/** PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const HOUR_MS = 3_600_000;

/** Calls `use` with the files of a certificate, which it reads before it returns: those of a self-signed one are gone afterwards. */
export async function withCertificate<T>(tls: TlsConfig, use: (files: CertificateFiles) => T): Promise<T> {
  if (tls !== "self-signed") return use(tls);
  const { cert, private: key } = await selfSigned();
  // Nobody else may enter a folder that mkdtemp makes.
  const folder = mkdtempSync(join(tmpdir(), "loopool-tls-"));
  try {
    const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
    writeFileSync(files.certFile, cert);
    writeFileSync(files.keyFile, key, { mode: 0o600 });
    return use(files);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** For this machine under its own names, not to be verified by anyone. */
async function selfSigned() {
  // Only here: what it needs takes a fifth of a second to load.
  const { generate } = await import("../vendor/certificate.js");
  return generate([{ name: "commonName", value: "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    // A client's clock may be late.
    notBeforeDate: new Date(Date.now() - HOUR_MS),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
          { type: 7, ip: "::1" },
        ],
      },
    ],
  });
}
