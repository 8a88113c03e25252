/** What is shorter is copied sooner by `set`, however it lies. */
const SHORT_BYTES = 64;

/**
 * Copies bytes into `target`, from its byte `at` on, where one side or both are shared memory. V8's `set` copies that with atomic accesses: of a
 * byte each unless both sides lie alike modulo 8, which takes five times as long (1 MiB: 290 µs and 60 µs). `fill` is one memcpy in Node.
 */
export function copyBytes(target: Buffer, at: number, source: Uint8Array): void {
  const { byteLength } = source;
  if (byteLength < SHORT_BYTES) target.set(source, at);
  else target.fill(source, at, at + byteLength);
}
