import { once } from "node:events";
import { driverNames } from "../harness/drivers/drivers.js";
import { requestsPerSecond } from "../harness/drivers/rate.js";
import type { GeneratorResult } from "../harness/drivers/result.js";
import { kindsOf } from "../harness/load/request/source.js";
import { errorClasses } from "../harness/load/result/run-result.js";
import { abReport } from "../harness/report/ab-text.js";
import { checkKinds, judgeRun, parseLimits } from "../harness/report/limits.js";
import { LoopoolError, messageOf, usageError } from "../shared/errors.js";
import { oneLine } from "../shared/terminal-text.js";
import type { Command } from "./command.js";
import { called } from "./invocation.js";
import { reportJudgement } from "./judgement.js";
import { fileFlags, jsonAndUrl, jsonLine, resultFilesOf, writeResultFiles } from "./load-files.js";
import { AUTO, loadFlags } from "./load-options.js";
import { measure, prepareLoad } from "./load-run.js";
import { exitCodeOf, onEndingSignal } from "./signals.js";
import { text, withValues } from "./values/options.js";

const limitFlags = {
  "fail-if": {
    describe:
      "exit code 1 where this is so, like 'p99>50ms', 'errors>0', 'errors>1%', 'rate<500' or, of one kind of request, 'p99[GET /x]>50ms'; several with commas",
  },
} as const;

/** `loopool load URL`: one run of the load generator, told as ab tells it. */
export const loadCommand: Command = {
  options: (yargs) =>
    yargs
      .positional("url", { describe: "http(s)://host[:port][/path], or unix:/path/to.sock:/route", type: "string" })
      .options(withValues({ ...loadFlags, ...fileFlags, ...limitFlags }))
      .option("keep-alive", {
        alias: "k",
        describe: "use a connection for many requests",
        type: "boolean",
        default: true,
      })
      .option("verify", {
        describe: "compare bodies by their SHA-256, too, with the first good one",
        type: "boolean",
        default: false,
      })
      .option("variable-length", {
        alias: "l",
        describe: "bodies may differ in length, as ab has it [default: only of several kinds of request]",
        type: "boolean",
      })
      .option("insecure", { describe: "with https://: do not check the server's certificate", type: "boolean" })
      .option("by-first-byte", {
        describe: "with --json: latencies also by the first byte of the body, for a handler that answers in kinds",
        type: "boolean",
        default: false,
      })
      .option("driver", {
        describe: `another load generator, run in place of our own and told of in the same report: ${driverNames.join(", ")}`,
        type: "string",
        requiresArg: true,
      })
      .option("hold", {
        describe: 'after the warm-up print "warm", and begin when a line comes on standard input',
        type: "boolean",
        default: false,
      })
      .option("json", {
        describe:
          "print the result as one line of JSON (schemas/loopool-load-3.schema.json) in place of the report, or write it to a file",
        type: "string",
      })
      .example(called("load -n 100000 -c 100 http://localhost:9090/"), "as ab -k -n 100000 -c 100")
      .example(
        called("load -t 10 -c 50 --warmup 2s http://localhost:9090/"),
        "ten seconds, after two that do not count",
      )
      .example(called("load -R 2000 -t 10 http://localhost:9090/"), "2,000 requests a second, late or not (open loop)")
      .example(
        called("load -R auto -t 5 http://localhost:9090/"),
        "the capacity, then latencies at 50, 70 and 90% of it",
      )
      .example(
        called("load --threads 2 --no-keep-alive http://localhost:9090/"),
        "more connections than one thread can make",
      )
      .example(
        called("load -m POST --body-file order.json -H 'Authorization: Bearer t' http://localhost:3000/orders"),
        "a request with a body",
      )
      .example(
        called("load --requests-file traffic.har -R 200 -t 30 http://localhost:3000"),
        "what a browser has recorded",
      )
      .example(called("load --verify -n 10000 http://localhost:9090/"), "no body may differ from the first")
      .example(called("load --json run.json http://localhost:9090/"), "the report, and the whole result in a file")
      .example(
        called("load -R 200 -t 30 --fail-if 'p99>50ms,errors>0' http://localhost:3000/"),
        "for CI: exit code 1 when it is slower, or fails",
      )
      .example(
        called("load --driver wrk -t 10 http://localhost:9090/"),
        "the same with wrk, to check one with the other",
      )
      .example(called("load --no-keep-alive -c 450 http://localhost:9090/"), "a new connection for every request"),
  handler: load,
};

async function load(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const { json, url } = jsonAndUrl(argv);
  const prepared = await prepareLoad({ ...argv, url });
  for (const note of prepared.notes) console.error(`loopool: ${oneLine(note)}`);
  const { options, generator } = prepared;
  const files = resultFilesOf(argv, json);
  const limits = argv["fail-if"] === undefined ? [] : parseLimits(text("fail-if", argv["fail-if"]));
  checkKinds(
    limits,
    kindsOf(options).map(({ name }) => name),
  );
  const auto = argv["rate"] === AUTO;
  if (auto) checkAuto(argv);

  const interruption = new AbortController();
  let exitCode = 1;
  const stopListening = onEndingSignal((signal) => {
    exitCode = exitCodeOf(signal);
    interruption.abort();
  });
  const results: GeneratorResult[] = [];
  const add = (result: GeneratorResult): void => {
    results.push(result);
    process.stdout.write(json === "-" ? jsonLine(result) : abReport(result));
    writeResultFiles(files, results);
  };
  try {
    const { signal } = interruption;
    add(await measure(prepared, signal, argv["hold"] === true ? hold : undefined));
    for (const rate of auto ? ratesOf(results[0]!) : []) {
      if (signal.aborted) break;
      add(await generator.run({ ...options, rate }, signal));
    }
    if (signal.aborted) process.exitCode = exitCode;
    else {
      for (const result of results) reportJudgement(judgeRun(result, limits));
      tellWhatFailed(results.at(-1)!);
    }
  } catch (error) {
    // Our own generator tells what it has when it is stopped; another one leaves nothing.
    if (!interruption.signal.aborted) throw error;
    console.error(`loopool: ${oneLine(messageOf(error))}`);
    process.exitCode = exitCode;
  } finally {
    await generator.close();
    stopListening();
  }
}

/** Several runs follow one another: what is for one of them alone cannot be asked for. Throws a usage error. */
function checkAuto(argv: Readonly<Record<string, unknown>>): void {
  if (argv["driver"] !== undefined) throw usageError("--rate auto needs loopool's own generator: leave out --driver");
  if (argv["hold"] === true)
    throw usageError("--hold waits before one run, and --rate auto makes several: leave one out");
  if (Object.keys(fileFlags).some((flag) => argv[flag] !== undefined)) {
    throw usageError("--hgrm and --csv hold one run: with --rate auto use --json, a line for each run");
  }
}

/** 50, 70 and 90% of what a closed loop served, as round figures; none where it served nothing. */
function ratesOf(result: GeneratorResult): readonly number[] {
  const capacity = requestsPerSecond(result);
  return capacity === 0 ? [] : [0.5, 0.7, 0.9].map((share) => Number((share * capacity).toPrecision(2)));
}

/** Whoever started this process has something to do between warm-up and window: read the server's counters. */
async function hold(): Promise<void> {
  process.stdout.write("warm\n");
  await once(process.stdin, "data");
  process.stdin.destroy();
}

/** All refused is a mistake in the address, not a measurement. What this machine lacks has a remedy here. */
function tellWhatFailed({ url, sent, completed, errors, statusCounts, connectFailure }: GeneratorResult): void {
  if (sent > 0 && errors["connect-refused"] >= sent) {
    throw new LoopoolError("REFUSED", `${url}: connection refused ${sent} times: does a server listen on that port?`);
  }
  if (errors["no-local-port"] > 0) {
    console.error(
      `loopool: ${errors["no-local-port"]} connections found no local port: keep connections alive, send less, widen ` +
        "net.ipv4.ip_local_port_range, or name an address of this machine with --local-address",
    );
  }
  if (errors["too-many-files"] > 0) {
    console.error(
      `loopool: ${errors["too-many-files"]} connections found no file descriptor: use a smaller --concurrency, or raise "ulimit -n"`,
    );
  }
  if (errors["tls-failed"] > 0) {
    console.error(
      `loopool: ${errors["tls-failed"]} TLS handshakes failed (${oneLine(connectFailure ?? "no reason was given")}): for a certificate of your own ` +
        "name its authority with --ca FILE, or use --insecure",
    );
  }
  if (errors["wrong-length"] > 0) {
    console.error(
      `loopool: ${errors["wrong-length"]} bodies had another length than the first: where that is right, use --variable-length (-l)`,
    );
  }
  if (sent > 0 && completed === 0) {
    const classes = errorClasses.filter((name) => errors[name] > 0).map((name) => `${name} ${errors[name]}`);
    const statuses = Object.entries(statusCounts ?? {}).map(([status, count]) => `status ${status} ${count} times`);
    throw new LoopoolError("NO_SUCCESS", `${url}: no request succeeded (${[...classes, ...statuses].join(", ")})`);
  }
}
