import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import type { Core } from "../../core.js";
import type { Front, FrontModule } from "../../front.js";
import type { Limits, ServerConfig } from "../../shared/config.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import { textResponse } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { AdminGate, isAdminPath } from "../admin.js";
import { withCertificate } from "../certificate.js";
import { FieldReader } from "../field-reader.js";
import { HeadCheck } from "../head-check.js";
import { type Listening, portError, portOptions, urlOf } from "../listening.js";
import { RateLimiter } from "../rate-limiter.js";
import { type Refusal, tooManyRequests } from "../refusals.js";
import { frontState, idleOrLate } from "../state.js";
import { listenUnix } from "../unix-socket.js";
import { type Connection, Connections } from "./connections.js";
import { NodeReply } from "./reply.js";
import { readHead, targetOf, visitFields } from "./request.js";

/** The front on Node's own HTTP server: needs no binary, and speaks HTTP/1.0 and pipelining too. */
export const nodeFront: FrontModule = {
  name: "node",
  load: async () => ({ uws: "none", listen }),
};

/** How often Node looks for connections whose head or request is late. */
const CHECK_INTERVAL_MS = 1000;
/** For a whole request, which no limit of ours has. */
const REQUEST_TIMEOUT_MS = 30_000;

function optionsOf({ maxHeadBytes, headTimeoutMs, idleTimeoutMs }: Limits) {
  return {
    // The head check decides; this is for what is longer still.
    maxHeaderSize: 2 * maxHeadBytes,
    headersTimeout: headTimeoutMs,
    requestTimeout: Math.max(REQUEST_TIMEOUT_MS, headTimeoutMs),
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    insecureHTTPParser: false,
    noDelay: true,
    // Node's own answer to a request without Host would be one that nobody counts; with two of them it takes the first.
    requireHostHeader: false,
  } as const;
}

/** Node's parser takes 0.9 and 2.0 for versions that it knows. */
const BAD_VERSION: Refusal = {
  response: textResponse(505, "505 HTTP Version Not Supported"),
  counter: Field.malformed,
  closes: true,
};

async function listen(
  config: ServerConfig,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Front> {
  const { limits } = config;
  const state = frontState({ core, stats, cache, log, limits });
  const { capacity, slowReaders } = state;
  const connections = new Connections(stats, capacity);
  const head = new HeadCheck(limits, true);
  const fields = new FieldReader();
  const visitBoth: typeof head.visit = (name, value) => {
    head.visit(name, value);
    fields.visit(name, value);
  };
  const admin = new AdminGate(config.adminToken);
  const limiter = limits.ratePerSecond === null ? null : new RateLimiter(limits.ratePerSecond);

  /** What is refused of a request that is as HTTP has it; null: nothing. */
  const refusalOf = (connection: Connection, path: string): Refusal | null => {
    if (limiter !== null) {
      const retryAfterSeconds = limiter.take(connection.address, performance.now());
      if (retryAfterSeconds > 0) return tooManyRequests(retryAfterSeconds);
    }
    return isAdminPath(path) ? admin.check(head.authorization, () => connection.address) : null;
  };
  /** A body is read and thrown away, as far as it may be long. */
  const discardBody = (request: IncomingMessage): void => {
    let bodyBytes = 0;
    request.on("data", (chunk: Uint8Array) => {
      bodyBytes += chunk.byteLength;
      if (bodyBytes <= limits.maxBodyBytes || request.socket.destroyed) return;
      stats.add(Field.limitBody, 1);
      request.socket.destroy();
    });
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = connections.of(request.socket);
    if (!connection.takesRequests) return;
    stats.add(Field.requests, 1);
    const method = request.method!;
    const { path, query } = targetOf(request.url!);
    const isHttp10 = request.httpVersion === "1.0";
    head.begin(isHttp10);
    visitFields(request.rawHeaders, fields.begin(core.headersOf(path)) ? visitBoth : head.visit);
    const isVersion = request.httpVersionMajor === 1;
    const refusal = isVersion ? (head.verdict(method, path, query ?? "") ?? refusalOf(connection, path)) : BAD_VERSION;
    const entry =
      log === null ? null : connection.entry(log, { method, path, query, isHttp10 }, readHead(request.rawHeaders));
    const isLast = connection.isLast(limits.maxConnectionRequests);
    if (isLast) stats.add(Field.limitConnectionRequests, 1);
    const reply = new NodeReply(response, method === "HEAD", isLast, state, entry, connection);
    if (head.hasBody) discardBody(request);
    if (refusal !== null) reply.refuse(refusal);
    // The verdict takes no other method.
    else core.submit({ method: method as "GET" | "HEAD", path, query: query ?? "", headers: fields.found }, reply);
  };

  const server = await createServerFor(config);
  server.on("connection", (socket: Socket) => connections.add(socket, config.tls === null));
  const looking = setInterval(() => slowReaders.look(), slowReaders.intervalMs).unref();
  server.on("request", onRequest);
  // RFC 9110 §10.1.1: an expectation that we do not know may be ignored. Whoever waits for "100 Continue" is answered without it, and may
  // then send the body or not, so that its connection cannot be used again.
  server.on("checkExpectation", onRequest);
  server.on("checkContinue", (request, response) => {
    response.shouldKeepAlive = false;
    onRequest(request, response);
  });
  server.on("connect", (request, socket) => {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.on("finish", () => socket.end());
    onRequest(request, response);
  });
  server.on("clientError", (error, socket) => connections.of(socket as Socket).refuse(error));

  const removeSocket = await bind(server, config);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const drain = async (timeoutMs: number): Promise<number> => {
    state.draining = true;
    removeSocket();
    // Closes what is idle, too.
    server.close();
    const cutOff = await idleOrLate(state, timeoutMs);
    clearInterval(looking);
    connections.destroyAll();
    return cutOff;
  };
  return { url: urlOf(config, port), port, drain };
}

async function createServerFor({ tls, limits }: Pick<ServerConfig, "tls" | "limits">): Promise<Server> {
  const options = optionsOf(limits);
  if (tls === null) return createServer(options);
  return withCertificate(tls, ({ certFile, keyFile }) =>
    createTlsServer({ ...options, cert: readFileSync(certFile), key: readFileSync(keyFile) }),
  );
}

/** Returns how to take away what is left of a Unix-domain socket. */
async function bind(server: Server, listening: Listening): Promise<() => void> {
  const { unix } = listening;
  if (unix !== null) return listenUnix(unix, (path) => once(server.listen({ path, exclusive: true }), "listening"));
  await once(server.listen(portOptions(listening)), "listening").catch((error: NodeJS.ErrnoException) => {
    throw portError(listening, error);
  });
  return () => {};
}
