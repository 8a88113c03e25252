import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { createServer } from "node:net";
import type { AccessLog } from "../../access-log/access-log.js";
import type { Core } from "../../core.js";
import type { Front, FrontModule } from "../../front.js";
import { LoopoolError, messageOf } from "../../shared/errors.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import { type HandlerRequest, type HandlerResponse, HeaderBlock } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { FieldReader } from "../field-reader.js";
import { type LoadedUws, loadUws } from "./load.js";
import { type FrontState, UwsReply } from "./reply.js";
import { createVisits } from "./visits.js";

/** The front on µWebSockets.js: the fastest there is, HTTP/1.1 only. */
export const uwsFront: FrontModule = {
  name: "uws",
  async load() {
    const { uws, version } = await loadUws();
    return { version, listen: (config, core, context, log) => listen(uws, config, core, context, log) };
  },
};

const METHOD_NOT_ALLOWED: HandlerResponse = {
  status: 405,
  headers: new HeaderBlock({ "Content-Type": "text/plain; charset=utf-8", Allow: "GET, HEAD" }),
  body: "405 Method Not Allowed\n",
};

async function listen(
  uws: LoadedUws["uws"],
  address: { readonly host: string | null; readonly port: number },
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Front> {
  const state: FrontState = { core, stats, cache, log, inFlight: 0, draining: false, onIdle: () => {} };
  const fields = new FieldReader();
  const visits = log === null ? null : createVisits(log);

  const toCore = (method: HandlerRequest["method"]) => (res: HttpResponse, req: HttpRequest) => {
    stats.add(Field.requests, 1);
    const path = req.getUrl();
    const query: string | undefined = req.getQuery();
    const entry = visits === null ? null : visits.enter(res, req, method, path, query);
    const reply = new UwsReply(res, method === "HEAD", state, entry);
    // All lines, at 0.08 µs each: `req.getHeader` knows the first line of a field only, and takes 0.06 µs for each name, there or not.
    if (fields.begin(core.headersOf(path))) req.forEach(fields.visit);
    core.submit({ method, path, query: query ?? "", headers: fields.found }, reply);
    reply.defer();
  };
  const app = uws
    .App()
    .get("/*", toCore("GET"))
    .head("/*", toCore("HEAD"))
    .any("/*", (res, req) => {
      stats.add(Field.requests, 1);
      const entry = visits?.enter(res, req, req.getCaseSensitiveMethod(), req.getUrl(), req.getQuery()) ?? null;
      new UwsReply(res, false, state, entry).send(METHOD_NOT_ALLOWED);
    });
  app.filter((res, change) => {
    const isOpening = Number(change) > 0;
    if (isOpening) visits?.connected(res);
    else visits?.disconnected();
    return stats.add(isOpening ? Field.connectionsOpened : Field.connectionsClosed, 1);
  });

  const socket = await bind(app, address, uws.LIBUS_LISTEN_EXCLUSIVE_PORT);
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
    app.close();
    return cutOff;
  };
  return { url: `http://${urlHost(address.host)}:${port}`, port, drain };
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
