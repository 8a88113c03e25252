/** What a request for a path needs, as its handler says: known before the body is read, on the main thread. Crosses threads by structured clone. */
export interface Route {
  /** Names of the header fields that are read, in lower case: those that a request must bring. */
  readonly headers: readonly string[] | "all";
  /** Those it takes; never HEAD beside GET. */
  readonly methods: readonly string[] | "all";
  /** The body is handed over while it arrives. */
  readonly stream: boolean;
  /** The handler is the user's own. */
  readonly own: boolean;
}

/** Where there is no route of a path's own, the fallback takes it: an application that takes every path, or the files. */
export interface RouteTable {
  readonly byPath: ReadonlyMap<string, Route>;
  readonly fallback: Route;
  /** What the user's code is; null: there is none. */
  readonly userCode: UserCodeFacts | null;
}

/** What the main thread has to know of the user's code in a thread. */
export interface UserCodeFacts {
  /** What the application is taken for, in words: "fetch style"; null: there are plug-ins only. */
  readonly style: string | null;
  /** It is to be told when its thread ends, and waited for. */
  readonly closes: boolean;
}

/** What loopool's own handlers take; so does a handler that does not say. */
export const GET_ONLY: readonly string[] = ["GET"];

/** A table before the first worker is ready. */
export const NO_ROUTES: RouteTable = {
  byPath: new Map(),
  fallback: { headers: [], methods: GET_ONLY, stream: false, own: false },
  userCode: null,
};

/** A table look-up, without an allocation. */
export function routeIn({ byPath, fallback }: RouteTable, path: string): Route {
  return byPath.get(path) ?? fallback;
}

/** Whether a route's handler is to be called for a method. */
export function takesMethod({ methods }: Route, method: string): boolean {
  return methods === "all" || methods.includes(method === "HEAD" && !methods.includes("HEAD") ? "GET" : method);
}
