import { RawClient } from "./raw-client.js";

/** One answer. */
export interface Exchange {
  readonly status: number;
  /** By name in lower case; a field in several lines has the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** Its field lines, as they came. */
  readonly head: readonly string[];
  /** A byte a character. */
  readonly body: string;
}

/** Sends a request, "GET /path", with these header lines, as they are, on a connection of its own; resolves when the server has closed it. Throws for half a head. */
export async function ask(port: number, methodAndPath: string, lines: readonly string[] = []): Promise<Exchange> {
  const client = await RawClient.open(port);
  client.send([`${methodAndPath} HTTP/1.1`, "Host: localhost", ...lines, "Connection: close", "", ""].join("\r\n"));
  const text = await client.receiveToEnd();
  client.socket.destroy();
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1) throw new Error(`no whole head: ${JSON.stringify(text.slice(0, 200))}`);
  const [statusLine = "", ...fields] = text.slice(0, headEnd).split("\r\n");
  const headers = fields.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: new Map(headers),
    head: fields,
    body: text.slice(headEnd + 4),
  };
}
