import { FIELD_NAME, type Handler, type HandlerRequest } from "../handlers/handler.js";

/**
 * A handler from what a module has for one path: a function, or an object of functions by method, of which one handler is made. Throws an
 * Error that continues "the handler of "/path" …": what is wrong, and what to use.
 */
export function handlerOf(given: unknown): Handler {
  if (typeof given === "function") return checked(given as Handler);
  if (typeof given !== "object" || given === null) {
    throw new Error("is not a function, nor an object of functions by method, as { GET, POST }");
  }
  return byMethod(given as Readonly<Record<string, unknown>>);
}

type Declarations = Pick<Handler, "headers" | "methods" | "stream">;

/** What stands beside the functions of an object by method. */
const DECLARED = ["headers", "stream"] as const;

function byMethod(given: Readonly<Record<string, unknown>>): Handler {
  const functions = new Map<string, Handler>();
  for (const [name, value] of Object.entries(given)) {
    if ((DECLARED as readonly string[]).includes(name)) continue;
    if (!isMethod(name)) {
      throw new Error(`has "${name}", which is no method (they are in capitals), nor "headers" or "stream"`);
    }
    if (typeof value !== "function") throw new Error(`has no function for ${name}`);
    for (const key of ["methods", "stream"] as const) {
      if ((value as Handler)[key] !== undefined) {
        throw new Error(
          `has "${key}" at its function for ${name}: ${key === "stream" ? "put it beside the methods" : "leave it out"}`,
        );
      }
    }
    functions.set(name, checked(value as Handler));
  }
  if (functions.size === 0) throw new Error("has no function for any method, as { GET, POST }");
  const get = functions.get("GET");
  const forHead = functions.get("HEAD") ?? get;
  const handler = (request: HandlerRequest): ReturnType<Handler> => {
    const { method } = request;
    // Only methods of the route come here.
    return (method === "GET" ? get! : method === "HEAD" ? forHead! : functions.get(method)!)(request);
  };
  const { headers, stream } = given as Declarations;
  const all = [{ headers }, ...functions.values()].map((one) => one.headers ?? []);
  return checked(
    Object.assign(handler, {
      methods: [...functions.keys()],
      headers: all.includes("all") ? ("all" as const) : [...new Set(all.flat())],
      ...(stream === undefined ? {} : { stream }),
    }),
  );
}

/** The same handler, if what it says of itself can be used. */
function checked(handler: Handler): Handler {
  const { headers = [], methods = ["GET"], stream = false } = handler as Readonly<Record<keyof Declarations, unknown>>;
  if (headers !== "all" && !(Array.isArray(headers) && headers.every(isLowerCaseName))) {
    throw new Error('must have as "headers" a list of field names in lower case, or "all"');
  }
  if (methods !== "all" && !(Array.isArray(methods) && methods.length > 0 && methods.every(isMethod))) {
    throw new Error('must have as "methods" a list of methods in capitals, or "all"');
  }
  if (typeof stream !== "boolean") throw new Error('must have as "stream" true or false');
  return handler;
}

function isLowerCaseName(name: unknown): boolean {
  return typeof name === "string" && FIELD_NAME.test(name) && name === name.toLowerCase();
}

/** A token (RFC 9110 §9.1) that nobody has written in lower case by mistake: methods are case-sensitive. */
function isMethod(name: unknown): boolean {
  return typeof name === "string" && FIELD_NAME.test(name) && name === name.toUpperCase();
}
