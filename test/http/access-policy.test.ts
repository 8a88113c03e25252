import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AccessPolicy } from "../../src/http/access-policy.js";
import type { ServerConfig } from "../../src/shared/config.js";
import { defaultConfig } from "../../src/shared/default-config.js";

const test = suite("access policy");

const { limits } = defaultConfig();
const HOME = Uint8Array.of(127, 0, 0, 1);
const IPV6_HOME = Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0));
const GONE = new Uint8Array(0);
const ASKED = { authorization: "", host: "localhost" };

const accessPolicyOf = (unix: ServerConfig["unix"], ratePerSecond: number | null) =>
  AccessPolicy.create(
    { limits: { ...limits, ratePerSecond }, adminToken: null, unix, host: null },
    (address: Uint8Array) => address,
  );
const statusOf = (access: AccessPolicy<Uint8Array>, address: Uint8Array, path = "/hello") =>
  access.refusalOf(address, path, ASKED)?.response.status;

test("a client of a port whose address is not known is of no machine", async () => {
  const access = await accessPolicyOf(null, null);
  assert.is(statusOf(access, GONE, "/stats-reset"), 403);
  assert.is(statusOf(access, HOME, "/stats-reset"), undefined);
  assert.is(statusOf(access, GONE), undefined);
});

test("with a limit it gets nothing, and uses up nobody else's requests", async () => {
  const access = await accessPolicyOf(null, 5);
  for (let i = 0; i < 10; i++) assert.is(statusOf(access, GONE), 429);
  // The /64 of ::1 is as empty as no address at all.
  for (const address of [HOME, IPV6_HOME]) assert.is(statusOf(access, address), undefined);
});

test("clients of a Unix-domain socket have no address, may see the metrics, and share one limit", async () => {
  const access = await accessPolicyOf({ path: "/run/loopool", mode: 0o660 }, 5);
  const statuses = Array.from({ length: 6 }, () => statusOf(access, GONE, "/stats.json"));
  assert.equal(statuses, [undefined, undefined, undefined, undefined, undefined, 429]);
});

test.run();
