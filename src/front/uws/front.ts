import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from "uWebSockets.js";
import type { AccessLog } from "../../access-log/access-log.js";
import type { Core } from "../../core.js";
import type { Front, FrontModule } from "../../front.js";
import type { UnixConfig } from "../../shared/config.js";
import type { HandlerContext } from "../../shared/handlers/context.js";
import type { HandlerRequest } from "../../shared/handlers/handler.js";
import { Field } from "../../shared/stats.js";
import { withCertificate } from "../certificate.js";
import { type Listening, urlOf, whyNot } from "../listening.js";
import { frontState, idleOrLate, METHOD_NOT_ALLOWED } from "../state.js";
import { listenUnix } from "../unix-socket.js";
import { type LoadedUws, loadUws } from "./load.js";
import { UwsReply } from "./reply.js";
import { createVisits } from "./visits.js";

/** The front on µWebSockets.js: the fastest there is, HTTP/1.1 only. */
export const uwsFront: FrontModule = {
  name: "uws",
  async load() {
    const { uws, version } = await loadUws();
    return { uws: version, listen: (config, core, context, log) => listen(uws, config, core, context, log) };
  },
};

async function listen(
  uws: LoadedUws["uws"],
  listening: Listening,
  core: Core,
  { stats, cache }: HandlerContext,
  log: AccessLog | null,
): Promise<Front> {
  const state = frontState({ core, stats, cache, log });
  const visits = log === null ? null : createVisits(log);

  const toCore = (method: HandlerRequest["method"]) => (res: HttpResponse, req: HttpRequest) => {
    stats.add(Field.requests, 1);
    const path = req.getUrl();
    const query: string | undefined = req.getQuery();
    const entry = visits === null ? null : visits.enter(res, req, method, path, query);
    const reply = new UwsReply(res, method === "HEAD", state, entry);
    core.submit({ method, path, query: query ?? "" }, reply);
    reply.defer();
  };
  const app = (await createApp(uws, listening))
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

  const { unix } = listening;
  const { socket, remove } = await (unix === null
    ? bindPort(app, listening, uws.LIBUS_LISTEN_EXCLUSIVE_PORT)
    : bindUnix(app, unix));
  const port = unix === null ? uws.us_socket_local_port(socket) : 0;
  const drain = async (timeoutMs: number): Promise<number> => {
    state.draining = true;
    uws.us_listen_socket_close(socket);
    remove();
    const cutOff = await idleOrLate(state, timeoutMs);
    app.close();
    return cutOff;
  };
  return { url: urlOf(listening, port), port, drain };
}

async function createApp(uws: LoadedUws["uws"], { tls }: Listening): Promise<TemplatedApp> {
  if (tls === null) return uws.App();
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
  const remove = await listenUnix(unix, async (path) => {
    socket = await new Promise<us_listen_socket | false>((resolve) => app.listen_unix(resolve, path));
    if (socket === false) throw new Error("µWS says no more");
  });
  return { socket, remove };
}
