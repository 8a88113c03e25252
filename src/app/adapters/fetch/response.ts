import type { HandlerResult, StreamBody } from "../../../shared/handlers/handler.js";
import { BadResult, typeOf } from "../../../shared/handlers/result-error.js";
import { contentLengthOf, headBody, isOfTheServer } from "../fields.js";

/** What undici keeps of a Response under a symbol, up to Node 22: on Node 24 it is a private field. */
interface State {
  readonly body: { readonly source: unknown; readonly stream: ReadableStream } | null;
  readonly headersList: Iterable<readonly [string, string]> & { readonly cookies: readonly string[] | null };
}

const STATE = stateSymbol();

/**
 * What a fetch handler returned, as loopool sends it. Without a promise where the body is a text or bytes that the Response was made of;
 * a body that is made while it is read is streamed.
 */
export function resultOf(response: unknown, isHead: boolean): HandlerResult | Promise<HandlerResult> {
  if (!(response instanceof Response) && !isLikeResponse(response)) throw noResponse(response);
  const { status } = response;
  const { fields, length } = fieldsOf(response);
  const body = bodyOf(response);
  if (body === null) return { status, headers: fields, body: isHead ? headBody(length) : "" };
  if (typeof body === "string" || body instanceof Uint8Array) return { status, headers: fields, body };
  if (isHead) {
    void body.cancel().catch(() => {});
    return { status, headers: fields, body: headBody(length) };
  }
  return streamed(body, length).then((sent) => ({ status, headers: fields, body: sent }));
}

/** Made by another implementation, or in another realm. */
function isLikeResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers, arrayBuffer } = value as Partial<Record<keyof Response, unknown>>;
  return typeof status === "number" && typeof arrayBuffer === "function" && isIterable(headers);
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function noResponse(value: unknown): BadResult {
  const what = value === undefined ? "nothing" : `a result of type ${typeOf(value)}`;
  return new BadResult(`${what}: return a Response`);
}

/** All lines but those that are the server's to write, of which the length of the body is told. */
function fieldsOf(response: Response): { fields: [string, string][]; length: number | null } {
  const fields: [string, string][] = [];
  let length: number | null = null;
  for (const [name, value] of linesOf(response)) {
    if (name === "content-length") length = contentLengthOf(value);
    else if (!isOfTheServer(name)) fields.push([name, value]);
  }
  return { fields, length };
}

/** Set-Cookie comes line by line. In lower case: Headers sort and copy, which undici's own list does not. */
function linesOf(response: Response): Iterable<readonly [string, string]> {
  const state = STATE === null ? undefined : (response as unknown as Record<symbol, State | undefined>)[STATE];
  // Cookies are joined in the list.
  return state === undefined || state.headersList.cookies !== null ? response.headers : state.headersList;
}

function bodyOf(response: Response): string | Uint8Array | ReadableStream<Uint8Array> | null {
  if (response.bodyUsed) throw new BadResult("a Response whose body was read: return a new one, or a clone");
  const state = STATE === null ? undefined : (response as unknown as Record<symbol, State | undefined>)[STATE];
  const source = state?.body?.source;
  if (typeof source === "string" || source instanceof Uint8Array) return source;
  return response.body;
}

/** A body that is whole after its first chunk is sent as such; else that chunk is sent at once and the others as they come. */
async function streamed(body: ReadableStream<Uint8Array>, length: number | null): Promise<Uint8Array | StreamBody> {
  const reader = body.getReader();
  const first = await reader.read();
  if (first.done) return EMPTY;
  const second = reader.read();
  // What is there already is read before the event loop goes on.
  const soon = await Promise.race([second, nextLoop()]);
  if (soon?.done === true) return bytesOf(first.value);
  const waiting = [second];
  let begun = false;
  const chunks: AsyncIterator<Uint8Array> = {
    async next() {
      if (!begun) {
        begun = true;
        return { done: false, value: bytesOf(first.value) };
      }
      const read = await (waiting.pop() ?? reader.read());
      return read.done ? { done: true, value: undefined } : { done: false, value: bytesOf(read.value) };
    },
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
  return length === null ? { chunks } : { chunks, bytes: length };
}

const EMPTY = new Uint8Array(0);

function nextLoop(): Promise<null> {
  return new Promise((resolve) => setImmediate(resolve, null));
}

/** The Fetch standard, §4.2: anything else in the body of a Response is a failure. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new BadResult(`a body with a chunk of type ${typeOf(chunk)}: put a TextEncoderStream before it`);
}

/** Found only where what is read under it is what this file expects. */
function stateSymbol(): symbol | null {
  const sample = new Response("text", { headers: { a: "b" } });
  const found = Object.getOwnPropertySymbols(sample).find(({ description }) => description === "state");
  if (found === undefined) return null;
  try {
    const { body, headersList } = (sample as unknown as Record<symbol, State>)[found]!;
    const names = [...headersList].map(([name]) => name).join();
    const isKnown = body?.source === "text" && headersList.cookies === null && names === "a,content-type";
    return isKnown ? found : null;
  } catch {
    return null;
  }
}
