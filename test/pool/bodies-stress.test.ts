import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { pool } from "../../src/pool/pool.js";
import { defaultConfig } from "../../src/shared/default-config.js";
import { NO_BODY } from "../../src/shared/handlers/handler.js";
import { Counter } from "../../src/shared/stats/stats.js";
import { type BareCore, type HeldReply, withCore } from "../support/core.js";
import { requestOf } from "../support/requests.js";

/** Requests of each seed; LOOPOOL_TEST_BODIES=100000 is the long form. */
const OPERATIONS = Number(process.env["LOOPOOL_TEST_BODIES"] ?? 3000);
const CONCURRENCY = 40;
const QUEUE = 64;
/** Of what is asked, one request in so many ends its worker. */
const EXITS_EACH = 60;
const MAX_BODY_BYTES = 2 ** 18;

const handlers = fileURLToPath(new URL("./fixtures/streams.js", import.meta.url));
const settings = {
  handlers,
  workers: { min: 2, max: 2 },
  queue: QUEUE,
  requestTimeoutMs: 500,
  // Little enough to be full at times.
  bodyMemoryBytes: 2 ** 21,
  limits: { ...defaultConfig().limits, maxBodyBytes: MAX_BODY_BYTES },
};

type Outcome = "answered" | "500" | "503" | "504" | "shed" | "abandoned" | "complete" | "cut" | "closed";

/** What befalls requests of every kind, and that what arrives is what it should be. */
class Traffic {
  readonly outcomes: Partial<Record<Outcome, number>> = {};
  readonly #bare: BareCore;
  readonly #random: () => number;

  constructor(bare: BareCore, random: () => number) {
    this.#bare = bare;
    this.#random = random;
  }

  async one(): Promise<void> {
    const outcome = await this.#kinds[Math.floor(this.#random() * this.#kinds.length)]!();
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }

  #upTo(count: number): number {
    return Math.floor(this.#random() * count);
  }

  async #ticks(): Promise<void> {
    for (let i = this.#upTo(20); i > 0; i--) await new Promise(setImmediate);
  }

  #post(path: string, query = ""): { readonly reply: HeldReply; readonly body: Uint8Array } {
    const request = requestOf(path, { method: "POST", query });
    const bytes = Math.floor(this.#random() ** 4 * MAX_BODY_BYTES);
    request.body = bytes === 0 ? NO_BODY : new Uint8Array(bytes).fill(this.#upTo(256));
    return { reply: this.#bare.submit(request), body: request.body };
  }

  async #failure(reply: HeldReply): Promise<Outcome> {
    const { status } = await reply.response;
    assert.ok([500, 503, 504].includes(status), `status ${status}`);
    if (status === 503 && (await reply.text()).includes("is full")) return "shed";
    return String(status) as Outcome;
  }

  readonly #kinds: readonly (() => Promise<Outcome>)[] = [
    () => this.#echoed("/echo-body"),
    () => this.#echoed("/later"),
    async () => this.#failure(this.#post("/never").reply),
    async () => {
      if (this.#upTo(EXITS_EACH / 8) > 0) return this.#echoed("/echo-body");
      return this.#failure(this.#post("/exits").reply);
    },
    async () => {
      const { reply } = this.#post(["/later", "/never", "/until-aborted"][this.#upTo(3)]!);
      await this.#ticks();
      if (reply.answers > 0) return (await reply.response).status === 200 ? "answered" : this.#failure(reply);
      reply.aborted = true;
      this.#bare.core.abandon(reply);
      return "abandoned";
    },
    async () => {
      const chunks = this.#upTo(40);
      const bytes = 1 + this.#upTo(30_000);
      const { reply } = this.#post("/chunks", `chunks=${chunks}&bytes=${bytes}`);
      if ((await reply.response).status !== 200) return this.#failure(reply);
      return this.#read((await reply.stream()).chunks, chunks * bytes);
    },
    async () => {
      const { reply } = this.#post(this.#upTo(2) === 0 ? "/endless" : "/silent", `bytes=${8 + this.#upTo(9000)}`);
      if ((await reply.response).status !== 200) return this.#failure(reply);
      const { chunks } = await reply.stream();
      const waiting = chunks.next().catch(() => {});
      await this.#ticks();
      await chunks.return?.();
      await waiting;
      return "closed";
    },
    async () => {
      const count = this.#upTo(20);
      const bytes = this.#upTo(50_000);
      const request = requestOf("/upload", { method: "POST" });
      request.stream = (async function* () {
        for (let i = 0; i < count; i++) yield new Uint8Array(bytes).fill(1);
      })();
      const reply = this.#bare.submit(request);
      if ((await reply.response).status !== 200) return this.#failure(reply);
      assert.is(await reply.text(), `${count * bytes} ${count * bytes}\n`);
      return "answered";
    },
  ];

  async #echoed(path: string): Promise<Outcome> {
    const { reply, body } = this.#post(path);
    const response = await reply.response;
    if (response.status !== 200) return this.#failure(reply);
    assert.ok(Buffer.from(response.body as Uint8Array).equals(body), "the body that was sent, and no other");
    return "answered";
  }

  async #read(chunks: AsyncIterator<Uint8Array>, expected: number): Promise<Outcome> {
    let bytes = 0;
    try {
      for (let { done, value } = await chunks.next(); !done; { done, value } = await chunks.next()) {
        bytes += value.byteLength;
      }
    } catch (error) {
      assert.match((error as Error).message, "the worker ended");
      return "cut";
    }
    assert.is(bytes, expected);
    return "complete";
  }
}

const test = suite("pool: bodies and streams under stress");

for (const seed of [1, 2]) {
  test(`workers die, clients go, memory runs out: each request has one outcome, and all comes back (seed ${seed})`, async () => {
    await withCore(pool, settings, async (bare) => {
      const { context, submit } = bare;
      const traffic = new Traffic(bare, seededRandom(seed));
      let left = OPERATIONS;
      const clients = Array.from({ length: CONCURRENCY }, async () => {
        while (left-- > 0) await traffic.one();
      });
      await Promise.all(clients);
      const { outcomes } = traffic;
      assert.is(
        Object.values(outcomes).reduce((a, b) => a + b, 0),
        OPERATIONS,
      );
      for (const outcome of ["answered", "500", "504", "abandoned", "complete", "closed"] as const) {
        assert.ok((outcomes[outcome] ?? 0) > 0, `${outcome}: ${JSON.stringify(outcomes)}`);
      }
      assert.is(context.stats.get(Counter.shed), outcomes.shed ?? 0);
      assert.ok(context.stats.get(Counter.workersLost) > 0);

      // What was abandoned or takes for ever has been given up after its time, and no slot and no page is missing.
      let replies: HeldReply[];
      for (;;) {
        replies = Array.from({ length: QUEUE }, () => submit(requestOf("/later")));
        const statuses = await Promise.all(replies.map(async ({ response }) => (await response).status));
        if (statuses.every((status) => status === 200)) break;
      }
      assert.is(context.stats.get(Counter.bodyMemory), 0);
    });
  });
}

test.run();
