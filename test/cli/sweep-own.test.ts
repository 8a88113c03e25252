import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SweepResult } from "../../src/harness/sweep/result.js";
import { writeCertificate } from "../support/certificate.js";
import { loopool } from "../support/cli.js";
import { withEchoServer } from "../support/echo-server.js";

const test = suite("loopool sweep of an application of one's own");

const folder = mkdtempSync(join(tmpdir(), "loopool-own-"));
test.after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

const app = fileOf(
  "app.mjs",
  `let count = 0;
const headers = { "Content-Type": "text/plain" };
export const handlers = {
  "/count": () => {
    // Long enough for the other workers to take theirs.
    for (const endMs = performance.now() + 3; performance.now() < endMs; );
    return { status: 200, headers, body: String(++count).padStart(6, "0") };
  },
  "/lengths": () => ({ status: 200, headers, body: "x".repeat(1 + (++count % 3)) }),
  "/fails": () => ({ status: 418, headers, body: "no coffee" }),
};`,
);
const today = fileOf(
  "today.mjs",
  `import http from "node:http";
http.createServer((request, response) => response.end("today " + request.url)).listen(0, "127.0.0.1");`,
);
const few = [
  "--trials",
  "1",
  "--concurrency",
  "4",
  "--duration",
  "0.3",
  "--pin",
  "none",
  "--out",
  folder,
  "--reports",
  folder,
];

async function sweep(name: string, ...args: string[]) {
  const ended = await loopool("sweep", "--handlers", app, "--name", name, ...few, ...args).ended;
  const file = readdirSync(folder).find((entry) => entry.endsWith(`-${name}.json`));
  return {
    ...ended,
    file,
    result: file === undefined ? null : (JSON.parse(readFileSync(join(folder, file), "utf8")) as SweepResult),
  };
}

test("state in a thread is said before the first trial, both questions are asked, and today's application is in the blocks", async () => {
  const command = `now='${process.execPath}' '${today}'`;
  const { code, output, errors, result, file } = await sweep(
    "both",
    "--request",
    "GET /count",
    "--rate",
    "50",
    "--target-command",
    command,
  );
  assert.is(code, 0, errors);
  assert.match(errors, /^GET \/count: reactor 200, 6 bytes; pool 200, 6 bytes; now 200, 12 bytes$/m);
  assert.match(
    errors,
    /loopool: The cores do not answer alike: (\d+) requests got \1 different answers from the reactor and \d+ from the pool/,
  );
  assert.match(errors, /^About \d+ s: 6 trials/m);
  assert.match(output, /^c=4, 50\/s +now +[\d.]+ +[\d.]+ +[\d.]+/m);
  assert.equal(
    result!.stateDifferences!.map(({ core, what }) => [core, what]),
    [["pool", "body"]],
  );
  assert.equal(result!.plan.openLoop!.arrivals, "poisson");
  const trials = result!.trials.map(({ core, rate, failure }) => [core, rate, failure].join());
  assert.equal(trials.sort(), ["reactor", "pool", "now"].flatMap((core) => [`${core},,`, `${core},50,`]).sort());
  const now = result!.trials.filter(({ core }) => core === "now");
  assert.ok(now.every(({ run, server }) => server === null && run!.completed > 0 && run!.documentBytes === 12));
  const open = result!.trials.filter(({ rate }) => rate !== null);
  assert.is(new Set(open.map(({ run }) => run!.openLoop!.seed)).size, 1, "one schedule for all cores of a block");
  const refused = await loopool("sweep", "--resume", join(folder, file!), "--reports", folder).ended;
  assert.match(refused.errors, /is finished/);
});

test("lengths that differ are a note; --fail-if has its exit codes", async () => {
  const { code, errors, result } = await sweep(
    "lengths",
    "--cores",
    "reactor",
    "--path",
    "/lengths",
    "--fail-if",
    "errors>0",
  );
  assert.is(code, 0, errors);
  const [trial] = result!.trials;
  assert.equal([trial!.run!.errors["wrong-length"], trial!.run!.bodyLengths], [0, { shortest: 1, longest: 3 }]);
  const undecided = await sweep("undecided", "--cores", "reactor", "--path", "/lengths", "--fail-if", "p99>1us");
  assert.is(undecided.code, 3, undecided.errors);
  assert.match(undecided.errors, /--fail-if p99>1us: reactor at c=4 is .*too few trials/);
});

test("a request that fails begins nothing, and another status can be expected", async () => {
  const failed = await sweep("fails", "--cores", "reactor", "--path", "/fails");
  assert.equal([failed.code, failed.file], [1, undefined]);
  assert.match(failed.errors, /reactor answers GET \/fails with status 418 \("no coffee"\)/);
  const expected = await sweep("expected", "--cores", "reactor", "--path", "/fails", "--expect-status", "418");
  assert.is(expected.code, 0, expected.errors);
  assert.equal(
    expected.result!.plan.traffic!.requests.map(({ expectStatus }) => expectStatus),
    ["418"],
  );
});

test("a mix is in the result whole, and each kind in the report", async () => {
  const mix = fileOf(
    "mix.json",
    JSON.stringify({
      requests: [
        { path: "/lengths", weight: 2 },
        { path: "/fails", expectStatus: 418 },
      ],
    }),
  );
  const { code, errors, result, file } = await sweep("mix", "--cores", "reactor", "--requests-file", mix);
  assert.is(code, 0, errors);
  assert.match(errors, /^GET \/lengths: reactor 200, \d bytes?\nGET \/fails: reactor 418, 9 bytes$/m);
  assert.equal(
    result!.trials[0]!.run!.kinds!.map(({ name, completed, sent }) => [name, completed === sent]),
    [
      ["GET /lengths", true],
      ["GET /fails", true],
    ],
  );
  assert.match(readFileSync(join(folder, file!.replace(/json$/, "md")), "utf8"), /## By kind of request/);
});

test("targets over TLS and over a Unix-domain socket, each asked once before", async () => {
  const certificate = await writeCertificate(folder, "targets");
  const tls = { cert: certificate.cert, key: readFileSync(certificate.keyFile, "utf8") };
  const socketPath = join(folder, "target.sock");
  await withEchoServer(
    () => ({}),
    ({ port, received: secure }) =>
      withEchoServer(
        () => ({}),
        async ({ received: local }) => {
          const targets = [
            "--target",
            `tls=https://127.0.0.1:${port}/base`,
            "--target",
            `local=unix:${socketPath}:/base`,
          ];
          const args = [
            "sweep",
            "--cores",
            "none",
            "--name",
            "targets",
            ...few,
            ...targets,
            "--request",
            "PUT /x",
            "--body",
            "hi",
          ];
          const untrusted = await loopool(...args).ended;
          assert.is(untrusted.code, 1);
          assert.match(untrusted.errors, /tls does not answer at https:\S+ PUT \/x \(tls-failed: .*certificate/);
          const { code, errors } = await loopool(...args, "--ca", certificate.certFile).ended;
          assert.is(code, 0, errors);
          for (const received of [secure, local]) {
            assert.ok(received.length > 2);
            assert.ok(
              received.every(
                ({ method, url, body }) => method === "PUT" && url === "/base/x" && body.toString() === "hi",
              ),
            );
          }
        },
        { socketPath },
      ),
    { tls },
  );
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--request", "POST"], /--request must be a method and a path, like 'POST \/render'/],
  [["--request", "GET /count", "--path", "/x"], /--request says --path too/],
  [["--path", "/count", "--target-command", "node app.js"], /--target-command must be name=COMMAND/],
  [["--path", "/count", "--target-command", "pool=x"], /--target-command pool=… has the name of a core/],
  [["--path", "/count", "--insecure"], /--insecure is for a --target over https:\/\/, and there is none/],
  [["--path", "/count", "--ramp", "1"], /--ramp is of an open loop: give --rate too/],
  [["--path", "/count", "--fail-if", "p99"], /--fail-if must be like 'p99>50ms'/],
];
for (const [args, message] of mistakes) {
  test(`sweep ${args.join(" ")} is refused with a remedy`, async () => {
    const { code, errors } = await sweep("mistake", ...args);
    assert.is(code, 2, errors);
    assert.match(errors, message);
  });
}

test.run();
