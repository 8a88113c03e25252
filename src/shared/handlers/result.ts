import { type HandlerResponse, HeaderBlock } from "./handler.js";
import { BadResult, shown, typeOf } from "./result-error.js";

/** Makes headers and body of what a handler returned as such. Throws BadResult. */
export type PartsOf = (headers: unknown, body: unknown) => Pick<HandlerResponse, "headers" | "body">;

/**
 * The one place where what a handler returned is looked at: every part of the response that comes out of it has the type that the cores
 * and the adapters rely on. `partsOf`: null where only loopool's own handlers run. Each property is read once. Throws BadResult, or whatever a getter of the result throws.
 */
export function responseOf(result: unknown, partsOf: PartsOf | null): HandlerResponse {
  if (typeof result !== "object" || result === null) throw noResult(result);
  const { status, headers, body } = result as Partial<Record<keyof HandlerResponse, unknown>>;
  if (!isStatus(status)) throw badStatus(result, status);
  // Only loopool's own handlers have blocks, pins, and open files.
  if (headers instanceof HeaderBlock || partsOf === null) return result as HandlerResponse;
  return { status, ...partsOf(headers, body) };
}

function isStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
}

function noResult(result: unknown): BadResult {
  const what = result === undefined ? "nothing" : `a result of type ${typeOf(result)}`;
  return new BadResult(`${what}: return { status, headers, body }`);
}

function badStatus(result: object, status: unknown): BadResult {
  if (status === undefined) return noResult(result);
  return new BadResult(`status ${shown(status)}: use an integer from 200 to 599`);
}

/**
 * The promise to wait for where a handler returned one, or anything else that can be awaited (a query of knex or mongoose, say); null for
 * a result. `then` is read once, and called once, with functions of which only the first call counts.
 */
export function promiseOf(result: unknown): Promise<unknown> | null {
  if (result instanceof Promise) return result;
  if (result === null || (typeof result !== "object" && typeof result !== "function")) return null;
  const { then } = result as { readonly then?: unknown };
  if (typeof then !== "function") return null;
  return new Promise((resolve, reject) => Reflect.apply(then, result, [resolve, reject]));
}
