import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { LoopoolError, messageOf } from "../../../shared/errors.js";
import type { Target } from "../request/options.js";

const PROBE_TIMEOUT_MS = 2000;

/**
 * The address that a run connects to, looked up once: a lookup per connection would be measured as the server's time. Where a name has
 * several, as `localhost` has, the first one that accepts a connection. Throws a LoopoolError for a name that has none.
 */
export async function addressOf({ host, port, socketPath = null }: Target): Promise<string> {
  if (socketPath !== null) return host;
  if (isIP(host) !== 0) return host;
  const found = await lookup(host, { all: true }).catch((error: unknown) => {
    throw new LoopoolError("UNKNOWN_HOST", `no address for "${host}" (${messageOf(error)}): check the URL`);
  });
  const addresses = found.map(({ address }) => address);
  if (addresses.length > 1) {
    for (const address of addresses) if (await accepts(address, port)) return address;
  }
  return addresses[0]!;
}

function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => answer(false));
  });
}
