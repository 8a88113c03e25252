import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { STATUS_CODES } from "node:http";
import { createServer } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import type { Core } from "../../core.js";
import type { Front, FrontModule } from "../../front.js";
import type { Limits, ServerConfig } from "../../shared/config.js";
import { LoopoolError, messageOf, usageError } from "../../shared/errors.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import type { HandlerRequest } from "../../shared/handlers/handler.js";
import { Field, type ThreadStats } from "../../shared/stats.js";
import { AdminGate, isAdminPath } from "../admin.js";
import { Capacity } from "../capacity.js";
import { FieldReader } from "../field-reader.js";
import { HeadCheck } from "../head-check.js";
import { RateLimiter } from "../rate-limiter.js";
import { type Refusal, TOO_MANY_CONNECTIONS, tooManyRequests } from "../refusals.js";
import { Addresses } from "./addresses.js";
import { type LoadedUws, loadUws } from "./load.js";
import { type FrontState, UwsReply } from "./reply.js";
import { SlowReaders } from "./slow-readers.js";
import { createVisits } from "./visits.js";

/** The front on µWebSockets.js: the fastest there is, HTTP/1.1 only. */
export const uwsFront: FrontModule = {
  name: "uws",
  async load({ maxHeadBytes }) {
    const { uws, version } = await loadUws(maxHeadBytes);
    return { version, listen: (config, core, context, log) => listen(uws, config, core, context, log) };
  },
};

async function listen(
  uws: LoadedUws["uws"],
  config: ServerConfig,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Front> {
  const { limits } = config;
  checkTimeouts(limits);
  const capacity = new Capacity(limits.maxConnections);
  const slowReaders = new SlowReaders(limits.slowReaderTimeoutMs);
  const state: FrontState = {
    core,
    stats,
    cache,
    log,
    capacity,
    slowReaders,
    inFlight: 0,
    draining: false,
    onIdle: () => {},
  };
  const head = new HeadCheck(limits, false);
  const admin = new AdminGate(config.adminToken);
  const limiter = limits.ratePerSecond === null ? null : new RateLimiter(limits.ratePerSecond);
  // Asked for each request and kept for that; who asks for figures is asked alone.
  const addresses = log === null && limiter === null ? null : new Addresses();
  const visits = log === null ? null : createVisits(log, addresses!);
  const isLastOfConnection = lastOfConnection(limits.maxConnectionRequests, stats);
  const fields = new FieldReader();
  const visitBoth: typeof head.visit = (name, value) => {
    head.visit(name, value);
    fields.visit(name, value);
  };

  /** What is refused of a request that is as HTTP has it; null: nothing. */
  const refusalOf = (res: HttpResponse, path: string): Refusal | null => {
    if (limiter !== null) {
      const retryAfterSeconds = limiter.take(addresses!.of(res), performance.now());
      if (retryAfterSeconds > 0) return tooManyRequests(retryAfterSeconds);
    }
    if (!isAdminPath(path)) return null;
    return admin.check(head.authorization, () => new Uint8Array(res.getRemoteAddress()));
  };
  /** `method` null: neither GET nor HEAD, which it is to be asked. */
  const onRequest = (known: HandlerRequest["method"] | null) => (res: HttpResponse, req: HttpRequest) => {
    stats.add(Field.requests, 1);
    const path = req.getUrl();
    const query: string | undefined = req.getQuery();
    const method = known ?? req.getCaseSensitiveMethod();
    head.begin();
    // All lines, at 0.08 µs each: `req.getHeader` knows the first line of a field only, and takes 0.06 µs for each name, there or not.
    req.forEach(fields.begin(core.headersOf(path)) ? visitBoth : head.visit);
    const refusal = head.verdict(method, path, query ?? "") ?? refusalOf(res, path);
    const entry = visits === null ? null : visits.enter(res, req, method, path, query);
    const closes = head.closes || isLastOfConnection();
    const reply = new UwsReply(res, known === "HEAD", closes, state, entry);
    if (refusal !== null) reply.refuse(refusal);
    // The verdict takes no other method.
    else
      core.submit(
        { method: method as HandlerRequest["method"], path, query: query ?? "", headers: fields.found },
        reply,
      );
    reply.defer();
  };
  const app = uws.App().get("/*", onRequest("GET")).head("/*", onRequest("HEAD")).any("/*", onRequest(null));

  const onConnection = (res: HttpResponse, change: number): void => {
    if (change > 0) {
      stats.add(Field.connectionsOpened, 1);
      addresses?.connected(res);
      if (!capacity.connect()) turnAway(res, stats);
    } else {
      stats.add(Field.connectionsClosed, 1);
      addresses?.disconnected();
      capacity.disconnect();
    }
  };
  app.filter((res, change) => onConnection(res, Number(change)));
  const looking = setInterval(() => slowReaders.look(), slowReaders.intervalMs).unref();

  const socket = await bind(app, config, uws.LIBUS_LISTEN_EXCLUSIVE_PORT);
  const port = uws.us_socket_local_port(socket);
  const drain = async (timeoutMs: number): Promise<number> => {
    state.draining = true;
    uws.us_listen_socket_close(socket);
    if (state.inFlight > 0) {
      await new Promise<void>((resolve) => {
        state.onIdle = resolve;
        setTimeout(resolve, timeoutMs).unref();
      });
    }
    const cutOff = state.inFlight;
    clearInterval(looking);
    app.close();
    return cutOff;
  };
  return { url: `http://${urlHost(config.host)}:${port}`, port, drain };
}

/** µWS' own, and not to be changed: 10 s for a head and between two requests, on a clock of 4 s. */
const UWS_TIMEOUT_MS = 10_000;

function checkTimeouts({ headTimeoutMs, idleTimeoutMs }: Limits): void {
  for (const [flag, timeoutMs] of [
    ["header-timeout", headTimeoutMs],
    ["idle-timeout", idleTimeoutMs],
  ] as const) {
    if (timeoutMs === UWS_TIMEOUT_MS) continue;
    throw usageError(`--${flag} ${timeoutMs / 1000}: the front on µWS has 10 seconds, which cannot be changed`);
  }
}

/**
 * µWS lets no two requests be known as of one connection. So of all requests of the server each n-th closes its connection: one connection
 * alone has exactly n, many have n on average.
 */
function lastOfConnection(maxRequests: number | null, stats: ThreadStats): () => boolean {
  if (maxRequests === null) return () => false;
  let requests = 0;
  return () => {
    if (++requests < maxRequests) return false;
    requests = 0;
    stats.add(Field.limitConnectionRequests, 1);
    return true;
  };
}

/** A connection too many is answered before it asks, and closed: if its request is under way, it may see a reset instead. */
function turnAway(res: HttpResponse, stats: ThreadStats): void {
  const { status, headers, body } = TOO_MANY_CONNECTIONS.response;
  stats.add(Field.limitConnections, 1);
  res.cork(() => {
    res.writeStatus(`${status} ${STATUS_CODES[status]}`);
    for (let i = 0; i < headers.fields.length; i += 2) res.writeHeader(headers.fields[i]!, headers.fields[i + 1]!);
    res.end(body as string, true);
  });
}

function urlHost(host: string | null): string {
  if (host === null) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Binds exclusively: by default µSockets lets a second server share the port, and half of the requests would go astray. */
async function bind(
  app: TemplatedApp,
  { host, port }: { readonly host: string | null; readonly port: number },
  exclusive: number,
): Promise<us_listen_socket> {
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    if (host === null) app.listen(port, exclusive, resolve);
    // The declarations lack this form; the binding takes host, port, options (uWebSockets.js, AppWrapper.h).
    else (app.listen as (...args: unknown[]) => TemplatedApp).call(app, host, port, exclusive, resolve);
  });
  if (socket !== false) return socket;
  app.close();
  throw await whyNot(host, port);
}

/** µWS only says that it could not listen; the system, asked again through Node, says why. */
async function whyNot(host: string | null, port: number): Promise<LoopoolError> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen({ port, exclusive: true, ...(host === null ? {} : { host }) }, () =>
      probe.close(() => resolve(undefined)),
    );
  });
  switch (error?.code) {
    case "EACCES":
      return new LoopoolError("PORT_FORBIDDEN", `port ${port} needs privileges: choose one above 1023 with --port`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new LoopoolError("HOST_UNKNOWN", `--host ${host} is not an address of this machine (${messageOf(error)})`);
    default:
      return new LoopoolError(
        "PORT_IN_USE",
        `port ${port} is in use: choose another with --port, or stop the process that listens there (ss -ltnp 'sport = :${port}' shows it)`,
      );
  }
}
