/** A part of a representation. */
export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** One range-spec (RFC 9110 §14.1.2): FIRST-LAST, FIRST- or -SUFFIX. */
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * The part that a Range field asks for, of a representation of `totalBytes`. Undefined: the field is ignored and the whole is sent,
 * for other units, for what is not valid, and for several ranges (all as RFC 9110 §14.2 allows): those who send several are few, and to
 * answer them costs more than the whole, which is what makes them a means of attack (§17.15).
 */
export function byteRange(field: string, totalBytes: number): ByteRange | "unsatisfiable" | undefined {
  const equals = field.indexOf("=");
  if (field.slice(0, equals).toLowerCase() !== "bytes") return undefined;
  const specs = field
    .slice(equals + 1)
    .split(",")
    .map((spec) => spec.trim())
    // A list may have empty members (§5.6.1).
    .filter((spec) => spec !== "");
  const spec = specs.length === 1 ? RANGE_SPEC.exec(specs[0]!) : null;
  if (spec === null) return undefined;
  const [, first, last, suffix] = spec;
  if (suffix !== undefined) {
    const bytes = Math.min(Number(suffix), totalBytes);
    if (bytes > 0) return { offset: totalBytes - bytes, bytes };
    // The last bytes of nothing are all of it, which no Content-Range can say.
    return Number(suffix) === 0 ? "unsatisfiable" : undefined;
  }
  const offset = Number(first);
  if (last !== "" && Number(last) < offset) return undefined;
  if (offset >= totalBytes) return "unsatisfiable";
  const end = last === "" ? totalBytes : Math.min(Number(last) + 1, totalBytes);
  return { offset, bytes: end - offset };
}
