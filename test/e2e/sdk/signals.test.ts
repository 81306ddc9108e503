import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Sink, startSink } from "../../support/sdk/sink.ts";

const APP = fileURLToPath(new URL("../../support/sdk/signal-app.ts", import.meta.url));

let sink: Sink;
beforeEach(async () => {
  sink = await startSink();
});
afterEach(() => sink.close());

/** Starts the application; its output is read line by line. */
function startBeside(company: string, endpoint = sink.url) {
  const child = spawn(process.execPath, [APP, company, endpoint], { stdio: ["ignore", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = once(child, "close");
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    line: async (): Promise<string | undefined> => (await lines.next()).value,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async ended() {
      const [code, signal] = await closed;
      return { code, signal };
    },
  };
}

describe("a signal, beside others that listen to it", () => {
  it.each([
    ["nobody", "SIGTERM", 1],
    ["nobody", "SIGINT", 1],
    ["signal-exit 4", "SIGTERM", 1],
    ["signal-exit 4", "SIGINT", 1],
    ["signal-exit 3", "SIGTERM", 1],
    ["a second copy", "SIGTERM", 2],
    ["a second copy", "SIGINT", 2],
  ] as const)("%s: %s ends the process by that signal, after the delivery", async (company, signal, records) => {
    const application = startBeside(company);
    expect(await application.line()).toBe("ready");
    application.kill(signal);
    expect(await application.ended()).toEqual({ code: null, signal });
    expect(sink.spans()).toHaveLength(records);
  });

  it("in the middle of work what had ended before it is delivered, however slow the collector", async () => {
    const stored: string[] = [];
    const slow = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      await setTimeout(600);
      stored.push(body);
      response.end("{}");
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const application = startBeside("work", `http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
    await application.line();
    await setTimeout(50);
    application.kill("SIGTERM");
    expect(await application.ended()).toEqual({ code: null, signal: "SIGTERM" });
    expect(stored.join()).toContain("the last before the signal");
    slow.close();
  });

  it("signal-exit is told before the end", async () => {
    const application = startBeside("signal-exit 4");
    await application.line();
    application.kill("SIGTERM");
    expect(await application.line()).toBe("told");
    expect(await application.ended()).toEqual({ code: null, signal: "SIGTERM" });
  });

  it("a handler of the application's own decides, though signal-exit listens, too", async () => {
    const application = startBeside("signal-exit and a handler");
    await application.line();
    application.kill("SIGTERM");
    expect(await application.line()).toBe("stays");
    await sink.until(() => sink.spans().length === 1);
    application.kill("SIGTERM");
    expect([await application.line(), application.isRunning()]).toEqual(["stays", true]);
    application.kill("SIGKILL");
    await application.ended();
  });

  it("a handler that listens once, and was there before, decides as well", async () => {
    const application = startBeside("once");
    await application.line();
    application.kill("SIGTERM");
    expect(await application.ended()).toEqual({ code: 9, signal: null });
    expect(sink.spans()).toHaveLength(1);
  });
});
