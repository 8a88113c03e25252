import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Gate } from "../../src/http/gate.js";
import type { ServerConfig } from "../../src/shared/config.js";
import { defaultConfig } from "../../src/shared/default-config.js";

const test = suite("gate");

const { limits } = defaultConfig();
const HOME = Uint8Array.of(127, 0, 0, 1);
const IPV6_HOME = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0));
const GONE = new Uint8Array(0);
const ASKED = { authorization: "", host: "localhost" };

const gateOf = (unix: ServerConfig["unix"], ratePerSecond: number | null) =>
  Gate.create(
    { limits: { ...limits, ratePerSecond }, adminToken: null, unix, host: null },
    (address: Uint8Array) => address,
  );
const statusOf = (gate: Gate<Uint8Array>, address: Uint8Array, path = "/hello") =>
  gate.refusalOf(address, path, ASKED)?.response.status;

test("a client of a port whose address is not known is of no machine", async () => {
  const gate = await gateOf(null, null);
  assert.is(statusOf(gate, GONE, "/stats-reset"), 403);
  assert.is(statusOf(gate, HOME, "/stats-reset"), undefined);
  assert.is(statusOf(gate, GONE), undefined);
});

test("with a limit it gets nothing, and uses up nobody else's requests", async () => {
  const gate = await gateOf(null, 5);
  for (let i = 0; i < 10; i++) assert.is(statusOf(gate, GONE), 429);
  // The /64 of ::1 is as empty as no address at all.
  for (const address of [HOME, IPV6_HOME]) assert.is(statusOf(gate, address), undefined);
});

test("clients of a Unix-domain socket have no address, may see the figures, and share one limit", async () => {
  const gate = await gateOf({ path: "/run/loopool", mode: 0o660 }, 5);
  const statuses = Array.from({ length: 6 }, () => statusOf(gate, GONE, "/stats.json"));
  assert.equal(statuses, [undefined, undefined, undefined, undefined, undefined, 429]);
});

test.run();
