// An application that records one generation, tells that it is ready, and shares the signals of its process with others, as it is told.
import { setTimeout as setTimeoutAsync } from "node:timers/promises";
import { startGeneration, startTracing } from "../../../sdk/index.ts";

const [company, endpoint] = process.argv.slice(2) as [string, string];
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Listens as the package signal-exit does: counts itself where others can see it, and raises the signal again once only its like is left. */
function listenPolitely(emitter: { count: number }): void {
  emitter.count++;
  for (const signal of SIGNALS) {
    const listener = (): void => {
      if (process.listenerCount(signal) !== emitter.count) return;
      emitter.count--;
      process.off(signal, listener);
      process.stdout.write("told\n");
      process.kill(process.pid, signal);
    };
    process.on(signal, listener);
  }
}

async function startSecondCopy(): Promise<void> {
  const path = "../../../sdk/core/tracing.ts?second";
  const copy: { startTracing: typeof startTracing } = await import(path);
  copy.startTracing({ endpoint });
  startGeneration({ model: "gpt-5" }).succeed({ text: "Because." });
}

/** Calls that end after they were announced, and go on. */
function work(): void {
  setInterval(() => {
    const call = startGeneration({ model: "gpt-5" });
    setTimeout(() => call.succeed({ text: "Because." }), 100);
  }, 20);
}

const once = company === "once";
if (once) process.once("SIGTERM", () => setTimeout(() => process.exit(9), 500));
startTracing({ endpoint, exitTimeoutMillis: 20_000 });
startGeneration({ model: "gpt-5" }).succeed({ text: "Because." });

const emitter = { count: 0 };
switch (company) {
  case "signal-exit 4":
    Object.assign(globalThis, { [Symbol.for("signal-exit emitter")]: emitter });
    listenPolitely(emitter);
    break;
  case "signal-exit 3":
    Object.assign(process, { __signal_exit_emitter__: emitter });
    listenPolitely(emitter);
    break;
  case "a second copy":
    await startSecondCopy();
    break;
  case "work":
    await setTimeoutAsync(400);
    startGeneration({ model: "the last before the signal" }).succeed({ text: "Because." });
    work();
    break;
  case "signal-exit and a handler":
    Object.assign(globalThis, { [Symbol.for("signal-exit emitter")]: emitter });
    listenPolitely(emitter);
    process.on("SIGTERM", () => process.stdout.write("stays\n"));
    break;
}

setTimeout(() => {}, 60_000);
process.stdout.write("ready\n");
