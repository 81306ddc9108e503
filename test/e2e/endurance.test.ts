import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Program, removeFolder, startProgram } from "../support/program.ts";
import { createSender, whileRunning } from "../support/sender.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";

let program: Program;
beforeEach(async () => {
  program = await startProgram();
});
afterEach(async () => {
  expect(await program.end()).toBe(0);
  removeFolder(program);
});

const residentMib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.process.pid}/status`, "utf8"))![1]) / 1024;

/** Slope of the straight line that fits the points best. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/** In full, half an hour after three minutes of warming up; in short the pools are still filling, and only a leak of every request would show. */
const soak = LONG
  ? { warmUpMillis: 180_000, millis: 1_800_000, maxMibPerMinute: 1 }
  : { warmUpMillis: 5_000, millis: 9_000, maxMibPerMinute: 400 };

it(`MEM-03 memory stays flat over ${soak.millis / 1_000} seconds of 2,000 spans a second, and nothing is warned of`, {
  timeout: soak.warmUpMillis + soak.millis + 120_000,
}, async () => {
  const sender = createSender(() => program.otlpUrl);
  const over = sleep(soak.warmUpMillis + soak.millis);
  const sending = Array.from({ length: 4 }, () => whileRunning(over, () => sender.send(100), 200));
  await sleep(soak.warmUpMillis);
  const samples: (readonly [minutes: number, mib: number])[] = [];
  await whileRunning(
    over,
    async () => {
      samples.push([performance.now() / 60_000, residentMib()]);
    },
    LONG ? 5_000 : 250,
  );
  await Promise.all(sending);
  expect([...sender.statuses.keys()]).toEqual([200]);
  expect(samples.length).toBeGreaterThan(10);
  expect(slopeOf(samples)).toBeLessThan(soak.maxMibPerMinute);
  expect(residentMib()).toBeLessThan(400);
  expect(program.output()).not.toMatch(/Warning|"level":"(warn|error)"/);
});

const IDLE = LONG ? 10_000 : 800;

it(`HTP-09 ${IDLE} idle connections cost little memory, and a new one is served`, { timeout: 300_000 }, async () => {
  const sender = createSender(() => program.otlpUrl);
  for (let i = 0; i < 20; i++) await sender.send(10);
  const before = residentMib();
  const { port } = new URL(program.otlpUrl);
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < IDLE; i += 100) sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => openIdle(Number(port))))));
    expect(await sender.send(10)).toBe(200);
    expect(residentMib() - before).toBeLessThan(150);
    expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

/** A connection that has been answered once and is kept alive. */
async function openIdle(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"resourceSpans":[]}',
  );
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString("latin1")).toMatch(/^HTTP\/1\.1 200 /);
  return socket;
}
