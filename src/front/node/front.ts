import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import type { Core } from "../../core.js";
import type { Front, FrontModule } from "../../front.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import { textResponse } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { withCertificate } from "../certificate.js";
import { type Listening, portError, portOptions, urlOf } from "../listening.js";
import { frontState, idleOrLate, METHOD_NOT_ALLOWED } from "../state.js";
import { listenUnix } from "../unix-socket.js";
import { Connections } from "./connections.js";
import { NodeReply } from "./reply.js";
import { readHead, targetOf } from "./request.js";

/** The front on Node's own HTTP server: needs no binary, and speaks HTTP/1.0 and pipelining too. */
export const nodeFront: FrontModule = {
  name: "node",
  load: async () => ({ uws: "none", listen }),
};

/** The same as on the other front; Node's own are 16 KiB, a minute, five minutes and five seconds. */
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  /** How often Node looks for connections whose head or request is late. */
  connectionsCheckingInterval: 1000,
} as const;

const options = {
  ...limits,
  insecureHTTPParser: false,
  noDelay: true,
  // Node's own answer to a request without Host would be one that nobody counts; with two of them it takes the first.
  requireHostHeader: false,
} as const;

/** Node's parser takes 0.9 and 2.0 for versions that it knows. */
const BAD_VERSION = textResponse(505, "505 HTTP Version Not Supported");
const BAD_HOST = textResponse(400, "400 Bad Request: one Host field is needed");

async function listen(
  listening: Listening,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Front> {
  const state = frontState({ core, stats, cache, log });
  const connections = new Connections(stats);

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const connection = connections.of(request.socket);
    if (!connection.takesRequests) return;
    stats.add(Field.requests, 1);
    const method = request.method!;
    const { path, query } = targetOf(request.url!);
    const head = readHead(request.rawHeaders);
    const isHttp10 = request.httpVersion === "1.0";
    const entry = log === null ? null : connection.entry(log, { method, path, query, isHttp10 }, head);
    const reply = new NodeReply(response, method === "HEAD", state, entry, connection);
    if (request.httpVersionMajor !== 1) {
      reply.refuse(BAD_VERSION);
    } else if (head.hosts > 1 || (head.hosts === 0 && !isHttp10)) {
      reply.refuse(BAD_HOST);
    } else if (method === "GET" || method === "HEAD") {
      core.submit({ method, path, query: query ?? "" }, reply);
    } else {
      reply.send(METHOD_NOT_ALLOWED);
    }
  };

  const server = await createServerFor(listening);
  server.on("connection", (socket: Socket) => connections.add(socket));
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

  const removeSocket = await bind(server, listening);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const drain = async (timeoutMs: number): Promise<number> => {
    state.draining = true;
    removeSocket();
    // Closes what is idle, too.
    server.close();
    const cutOff = await idleOrLate(state, timeoutMs);
    connections.destroyAll();
    return cutOff;
  };
  return { url: urlOf(listening, port), port, drain };
}

async function createServerFor({ tls }: Listening): Promise<Server> {
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
