/**
 * Runs a benchmark by name, in this process: `npm run bench -- NAME [ARGS]`. Without a name it lists them; a name that is none is a usage error
 * (exit code 2).
 */
interface Benchmark {
  /** Its file in this folder. */
  readonly file: string;
  readonly about: string;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  against: { file: "against", about: "both cores beside those of an earlier COMMIT, interleaved" },
  applications: { file: "applications", about: "what an application costs between request and response, by framework" },
  bodies: { file: "bodies", about: "request bodies and streams: both cores" },
  ceiling: { file: "ceiling", about: "both cores beside a bare µWS server" },
  exactness: { file: "exactness", about: "whether server and clients count the same, over a million requests" },
  adapters: { file: "adapters", about: "both cores behind µWS and behind node:http: what µWS buys" },
  generator: { file: "generator", about: "the load generator beside autocannon and, where installed, wrk" },
  headers: { file: "handler-headers", about: "what a response costs in the pool, by how a handler makes its headers" },
  micro: { file: "micro", about: "the rings beside postMessage and piscina, and single operations" },
  mutants: { file: "mutants/mutants", about: "which one-line faults the tests of a FOLDER of src do not see" },
  overload: { file: "overload", about: "a minute of far more requests than a pool can serve" },
  pool: { file: "pool-claims", about: "reactor, pool and piscina behind the same adapter" },
  power: {
    file: "power",
    about: "how often the statistics call a difference that is not there, and find one of 5% (simulated)",
  },
  queueing: { file: "queueing", about: "whether the waits in an open loop are those that queueing theory says" },
  shared: { file: "shared-costs", about: "what file cache, mirrored stats and access log cost" },
  slowloris: {
    file: "slowloris",
    about: "what a thousand connections that never finish their requests do to the others",
  },
  streams: { file: "streams", about: "5,000 open streams of events for a minute, and /hello beside them" },
  "worker-loop": {
    file: "worker-loop",
    about: "whether timers run in a worker that is idle, and in one that is saturated",
  },
};

const list = Object.entries(benchmarks).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
const [name] = process.argv.slice(2);
if (name === undefined) {
  console.log(["npm run bench -- NAME [ARGS]", "", ...list].join("\n"));
} else if (Object.hasOwn(benchmarks, name)) {
  // A benchmark reads its own arguments, as if it had been started itself.
  process.argv.splice(2, 1);
  await import(`./${benchmarks[name]!.file}.js`);
} else {
  console.error([`bench: there is no benchmark "${name}"; name one of these:`, ...list].join("\n"));
  process.exitCode = 2;
}
