import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from "uWebSockets.js";
import type { AccessLog } from "../../access-log/access-log.js";
import { ClientAddresses, NO_ADDRESS } from "../../access-log/address.js";
import type { Adapter, AdapterModule } from "../../adapter.js";
import type { Core } from "../../core.js";
import type { ServerConfig, ServerLimits, UnixConfig } from "../../shared/config.js";
import { usageError } from "../../shared/errors.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import { ServerRequest } from "../../shared/handlers/request.js";
import { Counter, type ThreadStats } from "../../shared/stats/stats.js";
import { AccessPolicy } from "../access-policy.js";
import { HeadCheck } from "../head-check.js";
import { FieldReader } from "../header-field-reader.js";
import { type Listening, urlOf, whyNot } from "../listening.js";
import { TOO_MANY_CONNECTIONS } from "../refusals.js";
import { adapterState, idleOrLate } from "../state.js";
import { Addresses, remoteAddress } from "./addresses.js";
import { type LoadedUws, loadUws } from "./load.js";
import { createLogEntries } from "./log-entries.js";
import { type Closing, UwsReply, type UwsState } from "./reply.js";
import { SlowReaders } from "./slow-readers.js";

/** The adapter on µWebSockets.js: the fastest there is, HTTP/1.1 only. */
export const uwsAdapter: AdapterModule = {
  name: "uws",
  async load({ maxHeadBytes }) {
    const { uws, version } = await loadUws(maxHeadBytes);
    return { uws: version, listen: (config, core, context, log) => listen(uws, config, core, context, log) };
  },
};

async function listen(
  uws: LoadedUws["uws"],
  config: ServerConfig,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Adapter> {
  const { limits, unix } = config;
  checkTimeouts(limits);
  const slowReaders = new SlowReaders(limits.slowReaderTimeoutMs);
  const state: UwsState = { ...(await adapterState(config, { core, stats, cache, log })), slowReaders };
  const { capacity } = state;
  const head = new HeadCheck(limits, false);
  // Asked for each request and kept for that; who asks for metrics is asked alone.
  const addresses =
    unix !== null || (log === null && limits.ratePerSecond === null && config.handlers === null)
      ? null
      : new Addresses();
  const addressOf = unix === null ? (res: HttpResponse) => addresses?.of(res) ?? remoteAddress(res) : () => NO_ADDRESS;
  const access = await AccessPolicy.create(config, addressOf);
  const logEntries = log === null ? null : createLogEntries(log, addressOf);
  const isLastOfConnection = lastOfConnection(limits.maxConnectionRequests, stats);
  const fields = new FieldReader();
  const clientAddresses = new ClientAddresses();
  // loopool's own handlers read no body: µWS skips it.
  const bodies = config.handlers === null ? null : await import("./body.js");
  const visitBoth: typeof head.visit = (name, value) => {
    head.visit(name, value);
    fields.visit(name, value);
  };

  /** `method` null: neither GET nor HEAD, which it is to be asked. */
  const onRequest = (known: "GET" | "HEAD" | null) => (res: HttpResponse, req: HttpRequest) => {
    stats.add(Counter.requests, 1);
    const path = req.getUrl();
    const query: string | undefined = req.getQuery();
    const method = known ?? req.getCaseSensitiveMethod();
    const route = core.routeOf(method, path);
    head.begin();
    // All lines, at 0.08 µs each: `req.getHeader` knows the first line of a field only, and takes 0.06 µs for each name, there or not.
    req.forEach(fields.begin(route.headers) ? visitBoth : head.visit);
    const refusal = head.verdict(method, path, query ?? "", route) ?? access.refusalOf(res, path, head);
    const entry = logEntries === null ? null : logEntries.enter(res, req, method, path, query);
    const closing = head.closes ? closingOf(req) : isLastOfConnection() ? "by us" : "no";
    const reply = new UwsReply(res, known === "HEAD", closing, state, entry);
    if (refusal !== null) {
      reply.refuse(refusal);
    } else {
      const { headers, lines } = fields;
      const request = new ServerRequest({ method, path, query: query ?? "", headers, fields: lines });
      if (route.headers === "all") request.remoteAddress = clientAddresses.of(addressOf(res));
      reply.request = request;
      if (head.hasBody && bodies !== null) {
        bodies.submitWithBody(res, state, request, route, head.bodyBytes, reply);
      } else {
        if (route.stream) request.stream = bodies!.emptyStream();
        core.submit(request, reply);
      }
    }
    reply.defer();
  };
  const app = (await createApp(uws, config))
    .get("/*", onRequest("GET"))
    .head("/*", onRequest("HEAD"))
    .any("/*", onRequest(null));

  const onConnection = (res: HttpResponse, change: number): void => {
    if (change > 0) {
      stats.add(Counter.connectionsOpened, 1);
      addresses?.connected(res);
      if (!capacity.connect()) turnAway(res, stats, config.tls !== null);
    } else {
      stats.add(Counter.connectionsClosed, 1);
      addresses?.disconnected();
      capacity.disconnect();
    }
  };
  app.filter((res, change) => onConnection(res, Number(change)));
  const looking = setInterval(() => slowReaders.look(), slowReaders.intervalMs).unref();

  const { socket, remove } = await (unix === null
    ? bindPort(app, config, uws.LIBUS_LISTEN_EXCLUSIVE_PORT)
    : bindUnix(app, unix));
  const port = unix === null ? uws.us_socket_local_port(socket) : 0;
  const drain = async (timeoutMs: number): Promise<number> => {
    state.draining = true;
    uws.us_listen_socket_close(socket);
    remove();
    const cutOff = await idleOrLate(state, timeoutMs);
    clearInterval(looking);
    app.close();
    return cutOff;
  };
  return { url: urlOf(config, port), port, drain };
}

/** Of a request that asks to close: µWS takes any five letters in the first of its Connection lines for that (HttpContext.h). */
function closingOf(req: HttpRequest): Closing {
  return req.getHeader("connection").length === 5 ? "by the client" : "by us";
}

/** µWS' own, and not to be changed: 10 s for a head and between two requests, on a clock of 4 s. */
const UWS_TIMEOUT_MS = 10_000;

function checkTimeouts({ headTimeoutMs, idleTimeoutMs }: ServerLimits): void {
  for (const [flag, timeoutMs] of [
    ["header-timeout", headTimeoutMs],
    ["idle-timeout", idleTimeoutMs],
  ] as const) {
    if (timeoutMs === UWS_TIMEOUT_MS) continue;
    throw usageError(`--${flag} ${timeoutMs / 1000}: the adapter on µWS has 10 seconds, which cannot be changed`);
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
    stats.add(Counter.limitConnectionRequests, 1);
    return true;
  };
}

/** A connection too many is answered before it asks, and closed: if its request is under way, it may see a reset instead. */
function turnAway(res: HttpResponse, stats: ThreadStats, isTls: boolean): void {
  const { status, headers, body } = TOO_MANY_CONNECTIONS.response;
  stats.add(Counter.limitConnections, 1);
  if (isTls) {
    // Its handshake is still to come: nothing can be said.
    res.close();
    return;
  }
  res.cork(() => {
    res.writeStatus(headers.wire(status));
    res.end(body as string, true);
  });
}

async function createApp(uws: LoadedUws["uws"], { tls }: Listening): Promise<TemplatedApp> {
  if (tls === null) return uws.App();
  // What not every server needs is loaded when it does.
  const { withCertificate } = await import("../certificate.js");
  return withCertificate(tls, ({ certFile, keyFile }) =>
    uws.SSLApp({ cert_file_name: certFile, key_file_name: keyFile }),
  );
}

interface Bound {
  readonly socket: us_listen_socket;
  /** Takes away what would be left of it. */
  readonly remove: () => void;
}

/** Binds exclusively: by default µSockets lets a second server share the port, and half of the requests would go astray. */
async function bindPort(app: TemplatedApp, listening: Listening, exclusive: number): Promise<Bound> {
  const { host, port } = listening;
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    if (host === null) app.listen(port, exclusive, resolve);
    // The declarations lack this form; the binding takes host, port, options (uWebSockets.js, AppWrapper.h).
    else (app.listen as (...args: unknown[]) => TemplatedApp).call(app, host, port, exclusive, resolve);
  });
  if (socket !== false) return { socket, remove: () => {} };
  app.close();
  throw await whyNot(listening);
}

async function bindUnix(app: TemplatedApp, unix: UnixConfig): Promise<Bound> {
  let socket: us_listen_socket | false = false;
  const { listenUnix } = await import("../unix-socket.js");
  const remove = await listenUnix(unix, async (path) => {
    socket = await new Promise<us_listen_socket | false>((resolve) => app.listen_unix(resolve, path));
    if (socket === false) throw new Error("µWS says no more");
  });
  return { socket, remove };
}
