import Negotiator from "negotiator";

/** A content coding in which a file may lie beside itself, made beforehand. */
export type Coding = "br" | "gzip";

/** By coding: what is added to the file's name. The first is preferred where a client is indifferent: it is the smaller one. */
export const codingExtensions: Readonly<Record<Coding, string>> = { br: ".br", gzip: ".gz" };

/** In order of preference. */
export const codings = Object.keys(codingExtensions) as readonly Coding[];

/** Its declarations lack the second parameter. */
interface EncodingNegotiator {
  encodings(available: readonly string[], options: { readonly preferred: readonly string[] }): readonly string[];
}

/** What was found lately: browsers of one kind all say the same. */
const known = new Map<string, readonly string[]>();
const MAX_KNOWN = 1000;

/**
 * Of the codings there are, the one to send by an Accept-Encoding field (RFC 9110 §12.5.3); undefined: the file as it is. That is also
 * sent where nothing at all is acceptable, as §12.5.3 allows, and to those who do not say what they accept.
 */
export function preferredCoding(field: string | undefined, available: readonly Coding[]): Coding | undefined {
  if (field === undefined) return undefined;
  let accepted = known.get(field);
  if (accepted === undefined) {
    const negotiator = new Negotiator({ headers: { "accept-encoding": field } }) as unknown as EncodingNegotiator;
    accepted = negotiator.encodings([...codings, "identity"], { preferred: codings });
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(field, accepted);
  }
  for (const coding of accepted) {
    if (coding === "identity") return undefined;
    if (available.includes(coding as Coding)) return coding as Coding;
  }
  return undefined;
}
