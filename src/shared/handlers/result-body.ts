import { isAnyArrayBuffer } from "node:util/types";
import { COPIED_BODY_BYTES, type FileBody, type HandlerResponse, type StreamBody } from "./handler.js";
import { BadResult, shown, typeOf } from "./result-error.js";
import { chunksOf } from "./result-stream.js";

/** Reads the true length of a typed array, whatever an object says of itself: bytes are written to shared memory by it. */
const trueByteLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "byteLength")!
  .get as (this: Uint8Array) => number;

/** The body of a response from whatever a handler returned as one. Throws BadResult. */
export function bodyOf(body: unknown): HandlerResponse["body"] {
  if (typeof body === "string") return body;
  if (ArrayBuffer.isView(body)) return bytesOf(body);
  if (isAnyArrayBuffer(body)) return bytesOf(new Uint8Array(body));
  if (typeof body === "object" && body !== null) {
    const stream = chunksOf(body);
    if (stream !== null) return { chunks: stream };
    const { file, bytes, offset, modifiedMs } = body as Partial<Record<keyof FileBody, unknown>>;
    if (file !== undefined) return fileOf(file, bytes, offset, modifiedMs);
    const { chunks } = body as Partial<Record<keyof StreamBody, unknown>>;
    if (chunks !== undefined) return streamOf(chunks, bytes);
  }
  throw new BadResult(`body of type ${typeOf(body)}: ${remedy(body)}`);
}

function remedy(body: unknown): string {
  if (body === undefined || body === null) return 'use "" for an empty body';
  if (typeof body !== "object") return "use a string";
  if ("pipe" in body) return "use a Readable, or a stream that iterates";
  if ("arrayBuffer" in body) return "use new Uint8Array(await body.arrayBuffer())";
  if ("then" in body) return "await it first";
  return "use JSON.stringify or new Uint8Array";
}

/** The same bytes, not copied, unless they could change their length while they are being sent. */
function bytesOf(view: ArrayBufferView): Uint8Array {
  const isPlain = view instanceof Uint8Array && view.byteLength === trueByteLength.call(view);
  const bytes = isPlain ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  // An array whose buffer was transferred looks empty. To make a new one of it throws.
  if (bytes.byteLength === 0) return new Uint8Array(bytes.buffer, 0, 0);
  return bytes.byteLength > COPIED_BODY_BYTES && isResizable(bytes.buffer) ? Uint8Array.from(bytes) : bytes;
}

/** Node 20 has both properties, the declarations of ES2023 do not. */
function isResizable(buffer: ArrayBufferLike): boolean {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  return resizable === true || growable === true;
}

function fileOf(file: unknown, bytes: unknown, offset: unknown, modifiedMs: unknown): FileBody {
  if (typeof file !== "string" || file === "" || file.includes("\0")) {
    throw new BadResult(`body.file ${shown(file)}: use the absolute path of a file`);
  }
  if (!isCount(bytes)) throw new BadResult(`body.bytes ${shown(bytes)}: use the number of bytes to send`);
  if (offset !== undefined && !isCount(offset)) {
    throw new BadResult(`body.offset ${shown(offset)}: use the number of the first byte to send, or leave it out`);
  }
  if (modifiedMs !== undefined && !(typeof modifiedMs === "number" && Number.isFinite(modifiedMs))) {
    throw new BadResult(`body.modifiedMs ${shown(modifiedMs)}: use mtimeMs of fs.stat, or leave it out`);
  }
  return {
    file,
    bytes,
    ...(offset === undefined ? {} : { offset }),
    ...(modifiedMs === undefined ? {} : { modifiedMs }),
  };
}

function streamOf(source: unknown, bytes: unknown): StreamBody {
  if (bytes !== undefined && !isCount(bytes)) {
    throw new BadResult(`body.bytes ${shown(bytes)}: use the number of bytes that the chunks have, or leave it out`);
  }
  const chunks = typeof source === "object" && source !== null ? chunksOf(source) : null;
  if (chunks === null) {
    throw new BadResult(`body.chunks of type ${typeOf(source)}: use a stream, an async iterable or a generator`);
  }
  return bytes === undefined ? { chunks } : { chunks, bytes };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
