import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A pair of PEM files that belong together. */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** What is in `certFile`: clients that take it for an authority verify the server. */
  readonly cert: string;
}

/** Writes a certificate for 127.0.0.1 and its key into a folder. */
export async function writeCertificate(folder: string, name: string, passphrase?: string): Promise<TestCertificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  const certFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`);
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return { certFile, keyFile, cert };
}
