import { type ClientRequestArgs, request } from "node:http";
import { LoopoolError } from "../../shared/errors.js";
import type { DriverOptions } from "./driver.js";
import { requestOf } from "./request.js";

/**
 * For a tool that counts redirections as successes: asks once whether the target answers with one, and throws a LoopoolError if so.
 * A target that does not answer is the tool's to tell of.
 */
export async function refuseRedirects(name: string, driverOptions: DriverOptions): Promise<void> {
  const { target, timeoutMs } = driverOptions;
  const { method, headers, body } = requestOf(driverOptions);
  const options: ClientRequestArgs = {
    host: target.host,
    port: target.port,
    path: target.path,
    method,
    headers: {
      Host: target.authority,
      ...Object.fromEntries(headers),
      ...(body === null ? {} : { "Content-Length": body.length }),
      Connection: "close",
    },
    agent: false,
    timeout: timeoutMs,
  };
  const status = await new Promise<number>((resolve) => {
    const asking = request(options, (response) => {
      response.resume().once("close", () => resolve(response.statusCode ?? 0));
    });
    asking.once("timeout", () => asking.destroy());
    asking.once("error", () => resolve(0)).once("close", () => resolve(0));
    asking.end(body ?? undefined);
  });
  if (status >= 300 && status <= 399) {
    throw new LoopoolError(
      "REDIRECT",
      `${target.url} answers with status ${status}, which ${name} counts as a success: name the URL it leads to`,
    );
  }
}
