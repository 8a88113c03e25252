import type { HandlerRequest, HandlerResponse, HandlerResult } from "../shared/handlers/handler.js";
import { promiseOf } from "../shared/handlers/result.js";
import type { Plugin, ShownResponse } from "./plugins.js";

type Later<T> = T | Promise<T>;

/** What the dispatcher lends. */
export interface Tools {
  /** Checks what a plug-in returned. */
  readonly responseOf: (result: unknown) => HandlerResponse;
  /** Lets go of a response that is not sent. */
  readonly discard: (response: HandlerResponse) => void;
  /** What is answered where a plug-in failed: counted and reported. */
  readonly failed: (what: string, error: unknown) => HandlerResponse;
}

type Answer = (request: HandlerRequest) => Later<HandlerResponse>;

/**
 * Runs plug-ins around what answers requests, in their order both ways. Waits for a plug-in only where it returns a promise. Neither throws nor
 * rejects, as `answer` does.
 */
export function around(answer: Answer, plugins: readonly Plugin[], tools: Tools): Answer {
  const before = plugins.filter(({ request }) => request !== null);
  const after = plugins.filter(({ response }) => response !== null);

  /** The answer of the first plug-in that has one; null: none has. */
  const early = (request: HandlerRequest, from = 0): Later<HandlerResponse | null> => {
    for (let i = from; i < before.length; i++) {
      const { name, request: ask } = before[i]!;
      const checked = (made: unknown): HandlerResponse | null => (made === undefined ? null : tools.responseOf(made));
      const made = attempt(name, () => ask!(request), checked);
      if (made instanceof Promise) return made.then((found) => found ?? early(request, i + 1));
      if (made !== null) return made;
    }
    return null;
  };

  const late = (response: HandlerResponse, request: HandlerRequest, from = 0): Later<HandlerResponse> => {
    let current = response;
    for (let i = from; i < after.length; i++) {
      const { name, response: change } = after[i]!;
      const before = current;
      const shown = shownOf(before);
      const applied = (made: unknown): HandlerResponse => changed(before, (made ?? shown) as HandlerResult);
      const next = attempt(name, () => change!(shown, request), applied, before);
      if (next instanceof Promise) return next.then((made) => late(made, request, i + 1));
      current = next;
    }
    return current;
  };

  /** Runs a plug-in and then `use` with what it gave; a failure of either is the answer, in place of `instead`. */
  function attempt<T>(
    name: string,
    run: () => unknown,
    use: (made: unknown) => T,
    instead?: HandlerResponse,
  ): Later<T | HandlerResponse> {
    const failed = (error: unknown): HandlerResponse => {
      if (instead !== undefined) tools.discard(instead);
      return tools.failed(`${name} failed`, error);
    };
    try {
      const made = run();
      const promise = promiseOf(made);
      return promise === null ? use(made) : promise.then(use).catch(failed);
    } catch (error) {
      return failed(error);
    }
  }

  function changed(before: HandlerResponse, next: HandlerResult): HandlerResponse {
    const isSameBody = next.body === before.body;
    // What loopool's own responses hold (a pin, an open file) belongs to their body.
    const made = tools.responseOf({ status: next.status, headers: next.headers, body: isSameBody ? "" : next.body });
    if (isSameBody) return { ...before, status: made.status, headers: made.headers };
    tools.discard(before);
    return made;
  }

  return (request) => {
    const found = early(request);
    const answered =
      found instanceof Promise ? found.then((made) => made ?? answer(request)) : (found ?? answer(request));
    return answered instanceof Promise ? answered.then((response) => late(response, request)) : late(answered, request);
  };
}

function shownOf({ status, headers: { fields }, body }: HandlerResponse): ShownResponse {
  const headers: ShownResponse["headers"] = [];
  for (let i = 0; i < fields.length; i += 2) headers.push([fields[i]!, fields[i + 1]!]);
  return { status, headers, body };
}
