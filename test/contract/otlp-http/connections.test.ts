import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { HTTP_LIMITS, type HttpLimits } from "../../../collector/receivers/http-server.ts";
import { span, tracesRequest } from "../../support/wire-builder.ts";
import { openRaw, post, type RawConnection, statusesIn } from "./raw-connection.ts";
import { createSocketRig, type SocketRig } from "./rig.ts";

const LONG = process.env["GENSPAN_TEST_LONG"] === "1";
const BODY = tracesRequest([span()]);

let rig: SocketRig | undefined;
let opened: RawConnection[] = [];
afterEach(async () => {
  for (const connection of opened) connection.destroy();
  opened = [];
  await rig?.close(100);
  rig = undefined;
});

async function serve(limits: Partial<HttpLimits> = {}): Promise<SocketRig> {
  rig = await createSocketRig({ limits });
  return rig;
}

async function openMany(port: number, count: number): Promise<RawConnection[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => openRaw(port)));
  opened.push(...connections);
  return connections;
}

/** One request on a connection of its own: its status, and how long it took. */
async function goodRequest(port: number): Promise<{ status: number | undefined; millis: number }> {
  const began = performance.now();
  const connection = await openRaw(port);
  connection.send(post({ headers: ["Connection: close"], body: BODY }));
  const [status] = statusesIn(await connection.closed);
  return { status, millis: performance.now() - began };
}

describe("HTP-08 senders that are slow on purpose", () => {
  /** In full: the bounds in force, and a byte every ten seconds. Else all of it at a tenth or less. */
  const { sockets, byteEveryMillis, limits } = LONG
    ? { sockets: 500, byteEveryMillis: 10_000, limits: {} }
    : { sockets: 200, byteEveryMillis: 150, limits: { headersMillis: 1_000, requestMillis: 2_000, checkTimeoutsEveryMillis: 100 } };
  const bounds: HttpLimits = { ...HTTP_LIMITS, ...limits };
  const HEAD = "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n";
  const WAYS: [string, string, number][] = [
    ["headers", HEAD, bounds.headersMillis],
    ["body", `${HEAD}Content-Length: 1000000\r\n\r\n`, bounds.requestMillis],
  ];

  it("HTP-08 the bounds in force are 15 s for headers and 60 s for a whole request at most", () => {
    expect(HTTP_LIMITS.headersMillis + HTTP_LIMITS.checkTimeoutsEveryMillis).toBeLessThanOrEqual(15_000);
    expect(HTTP_LIMITS.requestMillis).toBeLessThanOrEqual(60_000);
  });

  it.each(WAYS)(
    `HTP-08 ${sockets} senders that send their %s byte by byte are turned away in time, and others are served meanwhile`,
    { timeout: 180_000 },
    async (_, head, boundMillis) => {
      const { port, seen, heldBytes } = await serve(limits);
      const slow = await openMany(port, sockets);
      for (const connection of slow) connection.send(head);
      const began = performance.now();
      const drip = setInterval(() => {
        for (const connection of slow) connection.send("x");
      }, byteEveryMillis);
      const closed = Promise.all(slow.map((connection) => connection.closed));
      let over = false;
      void closed.then(() => {
        over = true;
      });
      const served: Awaited<ReturnType<typeof goodRequest>>[] = [];
      for (; !over; await sleep(50)) served.push(await goodRequest(port));
      clearInterval(drip);
      expect(performance.now() - began).toBeLessThan(boundMillis + 2 * bounds.checkTimeoutsEveryMillis + 5_000);
      expect(new Set((await closed).flatMap(statusesIn))).toEqual(new Set([408]));
      expect(served.length).toBeGreaterThan(5);
      expect(new Set(served.map(({ status }) => status))).toEqual(new Set([200]));
      expect(Math.max(...served.map(({ millis }) => millis))).toBeLessThan(8_000);
      expect(seen).toHaveLength(served.length);
      expect(heldBytes()).toBe(0);
    },
  );
});

describe("HTP-09 more connections than may be", () => {
  it("HTP-09 those beyond the cap are closed at once, those within it are served, and a place that is left is taken again", async () => {
    const { port } = await serve({ maxConnections: 50 });
    const within = await openMany(port, 50);
    const beyond = await Promise.all(Array.from({ length: 10 }, () => openRaw(port).then((connection) => connection.closed)));
    expect(new Set(beyond)).toEqual(new Set([""]));
    for (const connection of within) connection.send(post({ body: BODY }));
    for (const connection of within) expect(statusesIn(await connection.until(/\r\n\r\n/))).toEqual([200]);
    within[0]?.destroy();
    await expect.poll(async () => (await goodRequest(port)).status).toBe(200);
  });
});

describe("HTP-12 connections that are used again after a pause", () => {
  /** In full: ten minutes around the five seconds after which servers like to close. Else one pause beyond them. */
  const { rounds, pauseMillis } = LONG ? { rounds: 120, pauseMillis: 4_900 } : { rounds: 2, pauseMillis: 7_000 };

  it(`HTP-12 ${rounds} requests on each of 20 connections, with seconds between them, are all answered on it`, {
    timeout: rounds * pauseMillis + 60_000,
  }, async () => {
    expect(HTTP_LIMITS.keepAliveMillis).toBeGreaterThanOrEqual(65_000);
    const { port, seen } = await serve();
    const connections = await openMany(port, 20);
    await Promise.all(
      connections.map(async (connection, i) => {
        for (let sent = 1; sent <= rounds; sent++) {
          connection.send(post({ body: BODY }));
          await connection.until((text) => statusesIn(text).length === sent);
          if (sent < rounds) await sleep(pauseMillis + i * 10);
        }
      }),
    );
    expect(new Set(connections.flatMap((connection) => statusesIn(connection.received())))).toEqual(new Set([200]));
    expect(seen).toHaveLength(20 * rounds);
  });
});
