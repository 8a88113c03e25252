import Fastify from "fastify";

const app = Fastify();

const primes = {
  querystring: {
    type: "object",
    properties: { below: { type: "integer", minimum: 2, maximum: 1_000_000, default: 10_000 } },
  },
  response: {
    200: { type: "object", properties: { below: { type: "integer" }, count: { type: "integer" } } },
  },
} as const;

app.get("/", async () => ({ hello: "from Fastify" }));

/** Counts primes: work that keeps the CPU busy. */
app.get<{ Querystring: { below: number } }>("/primes", { schema: primes }, async ({ query: { below } }) => {
  const isComposite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n++) {
    if (isComposite[n] === 1) continue;
    count++;
    for (let multiple = n * n; multiple < below; multiple += n) isComposite[multiple] = 1;
  }
  return { below, count };
});

export default app;
