import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkDriverOptions } from "../../../src/harness/drivers/check.js";
import { driverNamed, driverNames } from "../../../src/harness/drivers/drivers.js";
import { plainGet } from "../../../src/harness/load/request/kind.js";
import { type LoadOptions, targetOf } from "../../../src/harness/load/request/options.js";
import { optionsFor } from "../load/liar.js";

const test = suite("what a tool cannot do");

const get = plainGet("/");
const counted = optionsFor(9090, {});
const timed = optionsFor(9090, { requests: Number.POSITIVE_INFINITY, durationMs: 2000 });

const refusals: readonly (readonly [
  driver: string,
  options: LoadOptions & { readonly threads?: number },
  warmUp: LoadOptions | null,
  message: RegExp,
])[] = [
  ...driverNames.flatMap((name) => {
    const fitting = name === "wrk" ? timed : counted;
    return [
      [name, { ...fitting, rate: 100 }, null, /^--driver \w+ cannot send at fixed times .*: leave out --rate, or/],
      [name, { ...fitting, bodySha256: "" }, null, /leave out --verify/],
      [name, { ...fitting, bodySha256: "0".repeat(64) }, null, /leave out --sha256/],
      [name, { ...fitting, byFirstByte: true }, null, /leave out --by-first-byte/],
      [name, { ...fitting, localAddress: "127.0.0.1" }, null, /leave out --local-address/],
      [
        name,
        { ...fitting, kinds: [get, { ...get, name: "b" }] },
        null,
        /cannot send several kinds of request: leave out --requests-file/,
      ],
      [name, { ...fitting, fields: { names: ["a"], rows: [["1"]] } }, null, /leave out --fields/],
      [name, { ...fitting, kinds: [{ ...get, statuses: [[404, 404]] }] }, null, /leave out --expect-status/],
      [name, { ...fitting, target: { ...fitting.target, socketPath: "/x" } }, null, /leave out --unix-socket/],
      [
        name,
        { ...fitting, target: targetOf("https://127.0.0.1/") },
        null,
        /is used with http:\/\/ only, not https:\/\/127/,
      ],
    ] as const;
  }),
  [
    "ab",
    { ...counted, kinds: [{ ...get, method: "PATCH", body: Buffer.from("x") }] },
    null,
    /cannot send a body with PATCH: leave out --method/,
  ],
  [
    "autocannon",
    { ...counted, kinds: [{ ...get, method: "POST", body: Buffer.of(255) }] },
    null,
    /cannot send a body that is not text in UTF-8: leave out --body-file/,
  ],
  ["h2load", { ...counted, kinds: [{ ...get, method: "DELETE" }] }, null, /cannot send DELETE: leave out --method/],
  [
    "h2load",
    { ...counted, kinds: [{ ...get, method: "POST" }] },
    null,
    /cannot send POST without a body: leave out --method/,
  ],
  ["wrk", counted, null, /^--driver wrk cannot stop after a number of requests: give --duration$/],
  ["wrk", timed, counted, /give --warmup in seconds, like "2s"$/],
  ["wrk", { ...timed, durationMs: 1500 }, null, /^--driver wrk takes --duration in steps of 1 s, not 1.5 s$/],
  ["wrk", { ...timed, timeoutMs: 500 }, null, /takes --timeout in steps of 1 s, not 0.5 s/],
  ["ab", timed, { ...timed, durationMs: 100 }, /takes --warmup in steps of 1 s, not 0.1 s/],
  ["h2load", { ...counted, durationMs: 1000 }, null, /takes either --requests or --duration, not both/],
  [
    "h2load",
    { ...counted, keepAlive: false },
    null,
    /cannot make a new connection for every request: leave out --no-keep-alive/,
  ],
  ["autocannon", { ...counted, keepAlive: false }, null, /leave out --no-keep-alive/],
  ["ab", { ...counted, threads: 2 }, null, /cannot send from more than one thread: leave out --threads/],
  ["oha", { ...counted, durationMs: 1000 }, null, /not both/],
];

for (const [name, options, warmUp, message] of refusals) {
  test(`--driver ${name}: ${message.source}`, () => {
    assert.throws(
      () => checkDriverOptions(driverNamed(name), options, warmUp),
      (error: { message: string; code: string }) => error.code === "USAGE" && message.test(error.message),
    );
  });
}

test("what it can do is let through", () => {
  for (const name of driverNames) {
    const post = { ...get, method: "POST", body: Buffer.from("x") };
    checkDriverOptions(driverNamed(name), { ...timed, kinds: [post], variableLength: true }, null);
  }
  for (const name of driverNames) checkDriverOptions(driverNamed(name), timed, { ...timed, durationMs: 1000 });
  for (const name of ["ab", "h2load", "autocannon", "oha"]) checkDriverOptions(driverNamed(name), counted, counted);
  checkDriverOptions(driverNamed("ab"), { ...counted, durationMs: 1000, keepAlive: false }, null);
});

test.run();
