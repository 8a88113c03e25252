import { lookup } from "node:dns/promises";
import { type AddressInfo, createServer, isIP } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressOf } from "../../../../src/harness/load/connection/address.js";
import { targetOf } from "../../../../src/harness/load/request/options.js";
import { LoopoolError } from "../../../../src/shared/errors.js";

const test = suite("address of the target");

test("an address stands for itself and is not tried", async () => {
  assert.is(await addressOf(targetOf("http://127.0.0.1:1/")), "127.0.0.1");
  assert.is(await addressOf(targetOf("http://[::1]:1/")), "::1");
});

test("a name with several addresses gets one that accepts connections", async () => {
  const addresses = await lookup("localhost", { all: true });
  for (const { address } of addresses) {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, address, resolve);
    });
    try {
      const { port } = server.address() as AddressInfo;
      assert.is(await addressOf(targetOf(`http://localhost:${port}/`)), address);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }
});

test("a name none of whose addresses accepts still gets one, so that the run can count the refusals", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  assert.is.not(isIP(await addressOf(targetOf(`http://localhost:${port}/`))), 0);
});

test("a name without an address is an error that names it", async () => {
  try {
    await addressOf(targetOf("http://no-such-host.invalid/"));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, LoopoolError);
    assert.match((error as Error).message, /"no-such-host\.invalid"/);
  }
});

test.run();
