import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPrivateCluster } from "../support/database.ts";
import { type Program, type ProgramOptions, removeFolder, startProgram } from "../support/program.ts";
import { countOf, createSender, metricOf, whileRunning } from "../support/sender.ts";

type Cluster = Awaited<ReturnType<typeof startPrivateCluster>>;

describe("a machine that misbehaves", () => {
  let cluster: Cluster;
  let program: Program | undefined;
  beforeAll(async () => {
    cluster = await startPrivateCluster("embedded");
  });
  afterAll(() => cluster.destroy());

  const start = async (options: ProgramOptions): Promise<Program> => {
    program = await startProgram({ ...options, env: { DATABASE_URL: cluster.url } });
    return program;
  };
  const end = async (): Promise<void> => {
    expect(await program?.end()).toBe(0);
    if (program !== undefined) removeFolder(program);
  };
  const storedSpans = (): Promise<number> => countOf(cluster.url, "SELECT count(*)::int AS n FROM spans");

  it("PRC-08 an event loop that stands still for three seconds loses nothing, lives on and is counted", { timeout: 90_000 }, async () => {
    const { webUrl, otlpUrl, process: child, output } = await start({ fault: "block-3s" });
    const before = await storedSpans();
    const sender = createSender(() => otlpUrl);
    const over = expect.poll(output, { timeout: 30_000 }).toContain("fault block-3s is over");
    const sending = [1, 2, 3, 4].map(() => whileRunning(over, () => sender.send(5)));
    await sleep(200);
    child.kill("SIGUSR2");
    await over;
    await Promise.all(sending);
    expect((await fetch(`${webUrl}/livez`)).status).toBe(200);
    expect([...sender.statuses.keys()]).toEqual([200]);
    expect(await storedSpans()).toBe(before + sender.acknowledged());
    await expect.poll(() => metricOf(webUrl, "genspan_event_loop_stalls_total"), { timeout: 20_000 }).toBe(1);
    await end();
  });

  it("TIM-10 a clock set back an hour breaks nothing: data is stored, and a database that hangs is told to the sender in time", {
    timeout: 90_000,
  }, async () => {
    const { webUrl, otlpUrl, process: child, output } = await start({ fault: "clock-back-1h" });
    const before = await storedSpans();
    const sender = createSender(() => otlpUrl);
    await sender.send(5);
    child.kill("SIGUSR2");
    await expect.poll(output).toContain("fault clock-back-1h is over");
    for (let i = 0; i < 20; i++) await sender.send(5);
    expect([...sender.statuses]).toEqual([[200, 21]]);
    expect(await storedSpans()).toBe(before + 105);
    expect(await countOf(cluster.url, "SELECT count(*)::int AS n FROM spans WHERE received_at < now() - interval '55 minutes'")).toBe(100);
    expect((await fetch(`${webUrl}/readyz`)).status).toBe(200);
    const sql = postgres(cluster.url, { max: 1, onnotice: () => {} });
    await sql.begin(async (tx) => {
      await tx`LOCK TABLE spans IN ACCESS EXCLUSIVE MODE`;
      const began = performance.now();
      expect(await sender.send()).toBe(503);
      expect(performance.now() - began).toBeLessThan(9_000);
    });
    await sql.end();
    expect(await sender.send()).toBe(200);
    await end();
  });

  it("PRC-09 at the limit of open files connections wait or are refused, the process goes on, and later ones are served", {
    timeout: 90_000,
  }, async () => {
    const { otlpUrl, output, process: child } = await start({ openFiles: 256 });
    const sender = createSender(() => otlpUrl);
    expect(await sender.send()).toBe(200);
    const { port } = new URL(otlpUrl);
    const sockets: Socket[] = Array.from({ length: 600 }, () => connect(Number(port), "127.0.0.1").on("error", () => {}));
    await sleep(1_500);
    expect(child.exitCode).toBeNull();
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => sender.send(), { timeout: 30_000 }).toBe(200);
    expect(output()).not.toMatch(/\n\s+at /);
    await end();
  });
});
