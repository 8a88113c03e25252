const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The text of an address of 4 or 16 bytes at `start` of `bytes`: dotted, or as RFC 5952 has it; an IPv4 client of an IPv6 socket is
 * dotted too. "-" for none.
 */
export function addressText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length === 4) return dotted(bytes, start);
  if (length !== 16) return "-";
  if (MAPPED_PREFIX.every((byte, i) => bytes[start + i] === byte)) return dotted(bytes, start + 12);
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[start + 2 * i]! << 8) | bytes[start + 2 * i + 1]!);
  const { from, to } = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return to - from < 2 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(to))}`;
}

function dotted(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly from: number; readonly to: number } {
  let best = { from: 0, to: 0 };
  let from = 0;
  groups.forEach((group, i) => {
    if (group !== 0) from = i + 1;
    else if (i + 1 - from > best.to - best.from) best = { from, to: i + 1 };
  });
  return best;
}

/** As above in bytes, made once for records of the same client that follow each other. */
export class AddressTexts {
  #bytes = new Uint8Array(0);
  #text: Uint8Array = Buffer.from("-");

  of(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const last = this.#bytes;
    let same = last.length === end - start;
    for (let i = 0; same && i < last.length; i++) same = last[i] === bytes[start + i];
    if (!same) {
      this.#bytes = Uint8Array.from(bytes.subarray(start, end));
      this.#text = Buffer.from(addressText(bytes, start, end));
    }
    return this.#text;
  }
}
