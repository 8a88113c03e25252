import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveSettings } from "../../src/cli/settings/resolve.js";
import { configSchema, defaultOf, settingNames, settings, variableOf } from "../../src/cli/settings/settings.js";
import { gather } from "../../src/cli/settings/sources.js";
import { DEFAULT_LOG, DEFAULT_UNIX, defaultConfig } from "../../src/shared/default-config.js";
import { packageRoot } from "../../src/shared/package-root.js";
import { writeCertificate } from "../support/certificate.js";
import { loopool } from "../support/cli.js";

type Values = Readonly<Record<string, unknown>>;

/** Gathers with this configuration file in the working directory. */
function withFile<T>(content: string | null, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "loopool-settings-"));
  try {
    if (content !== null) writeFileSync(join(folder, "loopool.config.json"), content);
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const resolved = (flags: Values, variables: Readonly<Record<string, string>>, file: Values | null) =>
  withFile(file === null ? null : JSON.stringify(file), (folder) => resolveSettings(gather(flags, variables, folder)));

const test = suite("settings");

const files = mkdtempSync(join(tmpdir(), "loopool-settings-"));
test.after(() => rmSync(files, { recursive: true }));
const { certFile, keyFile } = await writeCertificate(files, "own");
const other = await writeCertificate(files, "other");
const locked = await writeCertificate(files, "locked", "secret");
const socket = join(files, "socket");
const noPem = join(files, "no.pem");
writeFileSync(noPem, "no PEM");

test("flags win over variables, variables over the file, the file over defaults", () => {
  const file = { port: 1, queue: 64, mode: "pool" };
  const config = resolved({ port: "3" }, { LOOPOOL_PORT: "2", LOOPOOL_QUEUE: "128" }, file);
  assert.equal([config.port, config.queue, config.mode, config.cacheBytes], [3, 128, "pool", 64 * 2 ** 20]);
  const { port, queue, log } = resolved({}, {}, null);
  assert.equal([port, queue, log], [9090, 1024, null]);
});

test("the former name of --adapter works as a flag, a variable and a key, and the present name wins", async () => {
  assert.is(resolved({}, { LOOPOOL_FRONT: "node" }, null).adapter, "node");
  assert.is(resolved({}, {}, { front: "node" }).adapter, "node");
  assert.is(resolved({}, { LOOPOOL_FRONT: "node", LOOPOOL_ADAPTER: "uws" }, { front: "node" }).adapter, "uws");
  const { output } = await loopool("serve", "--config", "off", "--front", "node", "--print-config").ended;
  assert.equal(JSON.parse(output)["adapter"], { value: "node", source: "--adapter" });
});

test("a server that is told nothing has the default configuration", () => {
  assert.equal(resolved({}, {}, null), defaultConfig());
  assert.equal(resolved({ log: "/log" }, {}, null).log, { file: "/log", ...DEFAULT_LOG });
  assert.equal(resolved({ unix: "/tmp/socket" }, {}, null).unix, { path: "/tmp/socket", ...DEFAULT_UNIX });
});

test("rules for files can be switched off", () => {
  assert.equal(resolved({ immutable: "off", csp: "off" }, {}, null).files, {
    immutable: null,
    maxAgeSeconds: 0,
    csp: null,
  });
});

test("every source has every setting, in its own form", () => {
  const values: Readonly<Record<string, readonly [raw: string, json: unknown]>> = {
    mode: ["pool", "pool"],
    adapter: ["node", "node"],
    port: ["8080", 8080],
    host: ["::1", "::1"],
    unix: [socket, socket],
    "unix-mode": ["0600", "0600"],
    "tls-cert": [certFile, certFile],
    "tls-key": [keyFile, keyFile],
    "tls-self-signed": ["on", "on"],
    root: [packageRoot, packageRoot],
    workers: ["2:4", "2:4"],
    "worker-idle": ["1.5", 1.5],
    "worker-memory": ["64", 64],
    "request-timeout": ["0", 0],
    queue: ["256", 256],
    "body-memory": ["1000000", 1_000_000],
    "cache-bytes": ["1000000", 1_000_000],
    immutable: ["^/assets/", "^/assets/"],
    "max-age": ["60", 60],
    csp: ["default-src 'none'", "default-src 'none'"],
    handlers: ["/h.js", "/h.js"],
    "iterations-per-us": ["500", 500],
    log: ["-", "-"],
    "log-format": ["json", "json"],
    "log-overflow": ["block", "block"],
    mirror: ["off", "off"],
    "max-connections": ["100", 100],
    "max-header": ["4096", 4096],
    "max-url": ["2048", 2048],
    "max-body": ["0", 0],
    "header-timeout": ["10", 10],
    "idle-timeout": ["7.5", 7.5],
    "slow-reader-timeout": ["5", 5],
    "max-connection-requests": ["0", 0],
    "rate-limit": ["100", 100],
    "admin-token": ["secret", "secret"],
  };
  assert.equal(Object.keys(values), settingNames);
  // Two places and two certificates cannot be had together.
  const alternatives = [
    ["unix", "tls-self-signed"],
    ["port", "host", "tls-cert", "tls-key"],
  ];
  for (const left of alternatives) {
    const given = Object.entries(values).filter(([name]) => !left.includes(name));
    equalFromEverySource(
      Object.fromEntries(given.map(([name, [raw]]) => [name, raw])),
      Object.fromEntries(given.map(([name, [, json]]) => [name, json])),
    );
  }
});

function equalFromEverySource(raws: Readonly<Record<string, string>>, jsons: Values): void {
  const variables = Object.fromEntries(Object.entries(raws).map(([name, raw]) => [variableOf(name), raw]));
  const expected = resolved(raws, {}, null);
  assert.is(expected.requestTimeoutMs, null);
  assert.equal(expected.workers, { min: 2, max: 4 });
  assert.is(expected.limits.maxConnectionRequests, null);
  assert.is(expected.limits.idleTimeoutMs, 7500);
  assert.equal(resolved({}, variables, null), expected);
  assert.equal(resolved({}, {}, jsons), expected);
}

const mistakes: readonly (readonly [
  flags: Values,
  variables: Readonly<Record<string, string>>,
  file: string,
  message: RegExp,
])[] = [
  [{ port: "x" }, {}, "{}", /^--port must be a whole number from 0 to 65535, not "x"$/],
  [{}, { LOOPOOL_PORT: "x" }, "{}", /^LOOPOOL_PORT must be a whole number from 0 to 65535, not "x"$/],
  [{}, {}, '{"port":"x"}', /^"port" in loopool\.config\.json must be a whole number/],
  [{}, { LOOPOOL_QUEUE: "1000" }, "{}", /^LOOPOOL_QUEUE must be a power of two, not 1000: try 1024$/],
  [{}, {}, '{"workers":"3:2"}', /^"workers" in loopool\.config\.json 3:2: the second number/],
  [{}, {}, '{"root":"/does/not/exist"}', /^"root" in loopool\.config\.json \/does\/not\/exist is not a folder$/],
  [{ immutable: "(" }, {}, "{}", /^--immutable must be a regular expression or off: /],
  [{}, { LOOPOOL_CSP: "a\r\nb" }, "{}", /^LOOPOOL_CSP must be the value of a header field/],
  [{}, {}, '{"max-age":-1}', /^"max-age" in loopool\.config\.json must be a whole number/],
  [{ "admin-token": "a secret" }, {}, "{}", /^--admin-token must be of visible ASCII characters without spaces$/],
  [{}, { LOOPOOL_MAX_URL: "99999" }, "{}", /^LOOPOOL_MAX_URL must be a whole number from 16 to 16384, not "99999"$/],
  [{}, {}, '{"log":true}', /^"log" in loopool\.config\.json needs a value$/],
  [{}, { LOOPOOL_PROT: "1" }, "{}", /^the variable LOOPOOL_PROT is no setting: unset it; there are LOOPOOL_MODE, /],
  [{}, {}, '{"prot":1}', /^loopool\.config\.json has an unknown key "prot"; allowed: mode, adapter,/],
  [{}, {}, '{\n  "port": 1,\n  oops\n}', /^loopool\.config\.json is no JSON, see line 3, column 3: /],
  [{}, {}, '{"port": x}', /^loopool\.config\.json is no JSON: .*x/],
  [{}, {}, "[]", /^loopool\.config\.json must hold one JSON object$/],
  [{}, { LOOPOOL_CONFIG: "absent.json" }, "{}", /^LOOPOOL_CONFIG absent\.json cannot be read: ENOENT/],
  [{ config: "absent.json" }, {}, "{}", /^--config absent\.json cannot be read: ENOENT/],
];
const place: readonly (readonly [flags: Values, message: RegExp])[] = [
  [{ unix: socket, port: "1" }, /^--unix and --port are two places to listen: leave one of them out$/],
  [{ unix: socket, host: "::1" }, /^--unix and --host are two places/],
  [{ unix: "/does/not/exist/s" }, /^--unix \/does\/not\/exist\/s: \/does\/not\/exist is not a folder: make it first$/],
  [{ unix: `/${"x".repeat(107)}` }, /is 1 bytes too long for a socket: choose a shorter path/],
  [{ "unix-mode": "rw" }, /^--unix-mode must be octal permissions like 0660, not "rw"$/],
  [{ "unix-mode": "0888" }, /^--unix-mode must be octal/],
  [{ "tls-cert": certFile }, /^--tls-cert needs the private key too: name its file with --tls-key$/],
  [{ "tls-key": keyFile }, /^--tls-key needs the certificate too: name its file with --tls-cert$/],
  [{ "tls-cert": certFile, "tls-self-signed": "on" }, /^--tls-self-signed and --tls-cert are two certificates: leave/],
  [{ "tls-cert": "/absent", "tls-key": keyFile }, /^--tls-cert \/absent cannot be read: ENOENT/],
  [{ "tls-cert": certFile, "tls-key": "/absent" }, /^--tls-key \/absent cannot be read: ENOENT/],
  [{ "tls-cert": noPem, "tls-key": keyFile }, /^--tls-cert .*no\.pem must hold a certificate in PEM form/],
  [{ "tls-cert": keyFile, "tls-key": keyFile }, /^--tls-cert .*own\.key must hold a certificate in PEM form/],
  [{ "tls-cert": certFile, "tls-key": certFile }, /^--tls-key .*own\.crt must hold a private key/],
  [
    { "tls-cert": certFile, "tls-key": locked.keyFile },
    /^--tls-key .*locked\.key must hold a private key without a pass/,
  ],
  [
    { "tls-cert": certFile, "tls-key": other.keyFile },
    /^--tls-key .*other\.key is not the key of the certificate in .*own/,
  ],
  [{ "tls-self-signed": "yes" }, /^--tls-self-signed must be one of on, off, not "yes"$/],
];
for (const [flags, message] of place) {
  test(`where and how to listen: ${message.source}`, () => {
    assert.throws(() => resolved(flags, {}, null), message);
  });
}

test("a port of the file gives way to no socket of the flags: both are named", () => {
  assert.throws(
    () => resolved({ unix: socket }, {}, { port: 1 }),
    /^--unix and "port" in loopool\.config\.json are two/,
  );
});

for (const [flags, variables, file, message] of mistakes) {
  test(`names the source: ${message.source}`, () => {
    withFile(file, (folder) => {
      assert.throws(() => resolveSettings(gather(flags, variables, folder)), message);
    });
  });
}

test("with --config off flags alone count", () => {
  assert.is(resolved({ config: "off" }, { LOOPOOL_PORT: "2", LOOPOOL_NONSENSE: "1" }, { port: 1 }).port, 9090);
  assert.is(resolved({}, { LOOPOOL_CONFIG: "off" }, { port: 1 }).port, 9090);
});

test("--print-config shows each value with its source, and starts nothing", async () => {
  const { code, output } = await loopool("serve", "--print-config", "--mode", "pool").ended;
  assert.is(code, 0);
  const shown = JSON.parse(output) as Readonly<Record<string, { readonly value: unknown; readonly source: string }>>;
  assert.equal(Object.keys(shown), settingNames);
  assert.equal(shown["mode"], { value: "pool", source: "--mode" });
  assert.equal(shown["port"], { value: 9090, source: "default" });
});

test("--print-config tells of the admin token only that there is one", async () => {
  const { output } = await loopool("serve", "--print-config", "--admin-token", "s3cret").ended;
  assert.not.match(output, /s3cret/);
  assert.equal(JSON.parse(output)["admin-token"], { value: "(not shown)", source: "--admin-token" });
});

test("the schema for editors and the table of the docs are those of the settings", () => {
  assert.equal(JSON.parse(readFileSync(join(packageRoot, "loopool.schema.json"), "utf8")), configSchema());
  const docs = readFileSync(join(packageRoot, "docs/configuration.md"), "utf8").replace(/ +/g, " ");
  for (const name of settingNames) {
    const row = `| \`${name}\` | \`${variableOf(name)}\` | ${defaultOf(name) ?? ""} | ${settings[name].describe} |`;
    assert.ok(docs.includes(row.replace(/ +/g, " ")), row);
  }
});

test.run();
