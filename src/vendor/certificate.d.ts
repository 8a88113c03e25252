/**
 * What the server uses of selfsigned, which takes 11 MB with all that it depends on: `scripts/vendor.ts` bundles it from
 * `scripts/vendor/certificate.ts` into the file that this one describes. Import it only when a certificate is to be made.
 */

export interface CertificateOptions {
  readonly keyType: "ec";
  /** Digest that is signed. */
  readonly algorithm: "sha256";
  /** Without one: now. The certificate expires a year later. */
  readonly notBeforeDate?: Date;
  readonly passphrase?: string;
  /** X.509 extensions (RFC 5280, section 4.2). */
  readonly extensions: (
    | { name: "basicConstraints"; cA: boolean; critical: boolean }
    | { name: "keyUsage"; digitalSignature: boolean; critical: boolean }
    | { name: "extKeyUsage"; serverAuth: boolean }
    | { name: "subjectAltName"; altNames: AltName[] }
  )[];
}

/** A DNS name (2) or an IP address (7): the tags of a GeneralName (RFC 5280, section 4.2.1.6). */
type AltName = { type: 2; value: string } | { type: 7; ip: string };

/** Makes a key on the curve P-256 and a certificate that it signs, both as PEM. */
export declare function generate(
  subject: { name: "commonName"; value: string }[],
  options: CertificateOptions,
): Promise<{ readonly cert: string; readonly private: string }>;
