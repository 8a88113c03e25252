import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type AddressInfo, createServer } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../../../src/harness/load/request/options.js";
import { warmUpGenerator } from "../../../../src/harness/load/run/warm-up.js";

const test = suite("warm-up of the generator");

/** How many sockets this process opens to some server while `action` runs. */
async function socketsOpened(action: () => Promise<void>): Promise<number> {
  let count = 0;
  const onSocket = () => {
    count++;
  };
  subscribe("net.client.socket", onSocket);
  try {
    await action();
  } finally {
    unsubscribe("net.client.socket", onSocket);
  }
  return count;
}

for (const keepAlive of [true, false]) {
  test(`sends nothing to the server to be measured and leaves nothing open (keep-alive ${keepAlive ? "on" : "off"})`, async () => {
    let connections = 0;
    const server = createServer(() => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const target = targetOf(`http://127.0.0.1:${port}/`);
      const options = {
        target,
        requests: 1,
        concurrency: 1,
        keepAlive,
        timeoutMs: 10_000,
        headers: [],
        byFirstByte: false,
      };
      const opened = await socketsOpened(() => warmUpGenerator(options));
      assert.is(opened, keepAlive ? 150 : 4500);
      assert.is(connections, 0);
      // Both ends of the last connections may take a turn of the loop to be gone.
      while (process.getActiveResourcesInfo().includes("TCPSocketWrap")) await new Promise(setImmediate);
      const listening = process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap");
      assert.is(listening.length, 1);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
}

test("ends at once when the run is stopped", async () => {
  const target = targetOf("http://127.0.0.1:1/");
  const options = {
    target,
    requests: 1,
    concurrency: 1,
    keepAlive: true,
    timeoutMs: 10_000,
    headers: [],
    byFirstByte: false,
  };
  assert.is(await socketsOpened(() => warmUpGenerator(options, AbortSignal.abort())), 0);
});

test.run();
