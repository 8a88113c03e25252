/**
 * Copies the first `byteLength` bytes of `source` into `target`, from its byte `at` on, where one side or both are shared memory. V8's `set` copies
 * that with atomic accesses: of a byte each unless both sides lie alike modulo 8, which takes five times as long (1 MiB: 290 µs and 60 µs).
 * `fill` is one memcpy in Node, and writes no more than it is told, whatever an array of a user's says of its length.
 */
export function copyBytes(target: Buffer, at: number, source: Uint8Array, byteLength = source.byteLength): void {
  // To fill with nothing is an error.
  if (byteLength > 0) target.fill(source, at, at + byteLength);
}
