import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Server as NetServer, type Socket } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import { ClientAddresses } from "../../access-log/address.js";
import type { Adapter, AdapterModule } from "../../adapter.js";
import type { Core } from "../../core.js";
import type { ServerConfig, ServerLimits } from "../../shared/config.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import { ServerRequest } from "../../shared/handlers/request.js";
import type { Route } from "../../shared/handlers/route.js";
import { Counter } from "../../shared/stats/stats.js";
import { AccessPolicy } from "../access-policy.js";
import { HeadCheck } from "../head-check.js";
import { FieldReader } from "../header-field-reader.js";
import { type Listening, portError, portOptions, urlOf } from "../listening.js";
import { BAD_TARGET, BAD_VERSION, NO_HTTP, NO_TUNNELS, type Refusal } from "../refusals.js";
import { adapterState, idleOrLate } from "../state.js";
import { StreamedUpload } from "../upload.js";
import { inviteBody, refuseAfterBody, submitWithBody, submitWithStream } from "./body.js";
import type { Connection } from "./connection.js";
import { Connections } from "./connections.js";
import { isRtsp, type Target, targetOf, textOf } from "./head.js";
import { NodeReply } from "./reply.js";

/** The adapter on Node's own HTTP server: needs no binary, and speaks HTTP/1.0 and pipelining too. */
export const nodeAdapter: AdapterModule = {
  name: "node",
  load: async () => ({ uws: "none", listen }),
};

async function listen(
  config: ServerConfig,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Adapter> {
  const { limits } = config;
  const state = await adapterState(config, { core, stats, cache, log });
  const connections = new Connections(state, config.tls !== null);
  const head = new HeadCheck(limits, true);
  const fields = new FieldReader();
  const clientAddresses = new ClientAddresses();
  const access = await AccessPolicy.create(config, (connection: Connection) => connection.address);

  const verdictOn = (
    request: IncomingMessage,
    { authority, path, query = "" }: Target,
    route: Route,
    connection: Connection,
  ): Refusal | null => {
    const isHttp10 = request.httpVersion === "1.0";
    head.begin(isHttp10, authority);
    const readsFields = fields.begin(route.headers);
    const { rawHeaders } = request;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!.toLowerCase();
      const value = textOf(rawHeaders[i + 1]!);
      head.visit(name, value);
      if (readsFields) fields.visit(name, value);
    }
    // Node's parser takes 0.9 and 2.0 for versions that it knows.
    if (request.httpVersionMajor !== 1) return BAD_VERSION;
    if (isHttp10 && isRtsp(request)) return NO_HTTP;
    // The asterisk is for OPTIONS alone (RFC 9112 §3.2.4), the authority-form for CONNECT, which does not come here.
    if (!path.startsWith("/") && (path !== "*" || request.method !== "OPTIONS")) return BAD_TARGET;
    return head.verdict(request.method!, path, query, route) ?? access.refusalOf(connection, path, head);
  };
  const onRequest = (message: IncomingMessage, response: ServerResponse, isAwaited = false): void => {
    const connection = connections.of(message.socket);
    if (!connection.takesRequests) return;
    stats.add(Counter.requests, 1);
    const target = targetOf(message.url!);
    const { path, query } = target;
    const method = message.method!;
    const route = core.routeOf(method, path);
    const refusal = verdictOn(message, target, route, connection);
    const entry = log === null ? null : connection.entry(log, message, path, query);
    const reply = new NodeReply(response, method === "HEAD", state, entry, connection);
    if (refusal?.closes) {
      reply.refuse(refusal);
      return;
    }
    const isLast = connection.isLast();
    if (head.closes || isLast) reply.close();
    if (isAwaited) inviteBody(message, response);
    const arriving = { message, connection, reply };
    if (refusal !== null) {
      if (head.hasBody) refuseAfterBody(arriving, limits.maxBodyBytes, refusal);
      else reply.refuse(refusal);
      return;
    }
    const { headers, lines } = fields;
    const request = new ServerRequest({ method, path, query: query ?? "", headers, fields: lines });
    if (route.headers === "all") request.remoteAddress = clientAddresses.of(connection.address);
    reply.request = request;
    if (!head.hasBody) {
      if (route.stream) request.stream = StreamedUpload.empty();
      core.submit(request, reply);
    } else if (route.stream) {
      submitWithStream(state, request, arriving);
    } else {
      submitWithBody(state, request, head.bodyBytes, arriving);
    }
  };

  const server = await createServerFor(config);
  // All fields that the limit on bytes lets through.
  server.maxHeadersCount = 0;
  server.on("connection", (socket: Socket) => connections.add(socket));
  server.on("secureConnection", (socket: Socket) => connections.secured(socket));
  server.on("request", (request, response) => onRequest(request, response));
  server.on("checkContinue", (request, response) => onRequest(request, response, true));
  server.on("checkExpectation", (request, response) => onRequest(request, response));
  server.on("connect", (_request, socket) => {
    // Node hands out the bare socket: it neither reads from it any more nor listens to what befalls it.
    socket.on("error", () => {});
    socket.resume();
    connections.of(socket as Socket).refuse(NO_TUNNELS);
  });
  server.on("clientError", (error, socket) => connections.of(socket as Socket).fail(error));

  const removeSocket = await bind(server, config);
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
  return { url: urlOf(config, port), port, drain };
}

/** What Node takes beyond the limit on heads: a head that is somewhat too long gets an answer that says by what. */
const SPARE_HEAD_BYTES = 8 * 1024;

async function createServerFor({ tls, limits }: { readonly tls: ServerConfig["tls"]; readonly limits: ServerLimits }) {
  const options = {
    maxHeaderSize: limits.maxHeadBytes + SPARE_HEAD_BYTES,
    headersTimeout: limits.headTimeoutMs,
    /** None for all: a body that is read as a stream may take any time. body.ts has the times for bodies. */
    requestTimeout: 0,
    keepAliveTimeout: limits.idleTimeoutMs,
    /** How often Node looks for heads and requests that are late. */
    connectionsCheckingInterval: Math.min(1000, limits.headTimeoutMs / 4),
    insecureHTTPParser: false,
    noDelay: true,
    // HeadCheck looks at Host, and counts.
    requireHostHeader: false,
  };
  if (tls === null) return createServer(options);
  // What not every server needs is loaded when it does.
  const { withCertificate } = await import("../certificate.js");
  return withCertificate(tls, ({ certFile, keyFile }) =>
    createTlsServer({
      ...options,
      handshakeTimeout: limits.headTimeoutMs,
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
    }),
  );
}

/** As Node has it: while an application is imported, perhaps for another server of this thread, servers that listen are taken for its own. */
const { listen: openPort } = NetServer.prototype;

/** Returns how to take away what is left of a Unix-domain socket. */
async function bind(server: Server, listening: Listening): Promise<() => void> {
  const { unix } = listening;
  if (unix !== null) {
    const { listenUnix } = await import("../unix-socket.js");
    return listenUnix(unix, (path) => once(openPort.call(server, { path, exclusive: true }), "listening"));
  }
  await once(openPort.call(server, portOptions(listening)), "listening").catch((error: NodeJS.ErrnoException) => {
    throw portError(listening, error);
  });
  return () => {};
}
