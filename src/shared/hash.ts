/** Mixes the bits of a word, so that each bit of the result depends on all of them: the finaliser of MurmurHash3 (Appleby, public domain). */
export function mix32(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
