import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../collector/base/log.ts";
import { createLiveHub, type LiveHub } from "../../collector/live/hub.ts";
import { readPosition, writePosition } from "../../collector/live/position.ts";
import { eventStream } from "../../collector/live/stream.ts";
import { parseFilter } from "../../collector/query/filter/parse.ts";
import { GENERATIONS } from "../../collector/query/generations/noun.ts";
import type { Sql } from "../../schema/connect.ts";
import { type ApiRig, createApiRig } from "../support/api-rig.ts";
import { describeEachServer } from "../support/database.ts";

const FAST_MS = 5;
const NEVER_MS = 1_000_000;

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly id?: string; readonly user_id?: string };
}

/** Events of a text of server-sent events; comments are left out. */
const eventsIn = (text: string): Event[] =>
  text
    .split("\n\n")
    .filter((block) => block.includes("event: "))
    .map((block) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
      return { id: field("id"), event: field("event"), data: JSON.parse(field("data")) as Event["data"] };
    });

describeEachServer("live streams", (server) => {
  let rig: ApiRig;
  let hub: LiveHub;
  beforeAll(async () => {
    rig = await createApiRig(server);
    hub = createLiveHub({ sql: rig.owner, schema: "public", log: createLog("silent") });
    await rig.owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'other', now())`;
  });
  afterEach(() => rig.owner`TRUNCATE generation_logs`);
  afterAll(async () => {
    await hub.stop();
    await rig[Symbol.asyncDispose]();
  });

  const traceOf = (name: string): string => createHash("md5").update(name).digest("hex");
  const insert = (sql: Sql | Parameters<Parameters<Sql["begin"]>[1]>[0], name: string, projectId = 1, agoSeconds = 0) => sql`
    INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, user_id, model_name, logged_at, updated_at, received_at)
    VALUES (${projectId}, ${traceOf(name)}, ${traceOf(name).slice(0, 16)}, now(), 'x', 'success', ${name}, 'm', now(), now(), now() - make_interval(secs => ${agoSeconds}))`;

  interface Watching {
    readonly events: Event[];
    readonly names: () => (string | undefined)[];
    stop(): Promise<void>;
  }

  /** Reads a stream in the background, from the beginning or from an event. */
  function watch(options: { from?: string; query?: string; projectId?: number; pollMillis?: number } = {}): Watching {
    const place = hub.join(options.projectId ?? 1);
    const events: Event[] = [];
    const from = options.from === undefined ? undefined : readPosition(options.from);
    const filter = parseFilter(new URLSearchParams(options.query), GENERATIONS);
    const stream = eventStream({
      ...{ reader: rig.services.reader, watch: place, from, filter },
      ...{ projectId: options.projectId ?? 1, pollMillis: options.pollMillis ?? FAST_MS, mayGoOn: async () => true },
    });
    const reading = (async () => {
      for await (const text of stream) events.push(...eventsIn(text));
    })();
    return {
      events,
      names: () => events.filter(({ event }) => event === "generation").map(({ data }) => data.user_id),
      async stop() {
        place.leave();
        await reading;
      },
    };
  }
  const ready = (watching: Watching) => expect.poll(() => watching.events.length).toBeGreaterThan(0);

  it("tell every call once, whatever order transactions commit in, with none left out", async () => {
    const stream = watch();
    await ready(stream);
    const expected: string[] = [];
    // Transactions that overlap in every way: each writes, waits and commits at a time of its own, and their times lie in the past by as much.
    await Promise.all(
      Array.from({ length: 12 }, async (_, writer) => {
        for (let i = 0; i < 5; i++) {
          await rig.owner.begin(async (tx) => {
            for (const part of ["a", "b"]) {
              const name = `${writer}-${i}-${part}`;
              expected.push(name);
              await insert(tx, name, 1, (writer * 7) % 30);
              await new Promise((resolve) => setTimeout(resolve, (writer * 13 + i * 29) % 40));
            }
          });
        }
      }),
    );
    await expect.poll(() => stream.names().length, { timeout: 15_000 }).toBe(expected.length);
    await insert(rig.owner, "last");
    await expect.poll(() => stream.names().includes("last")).toBe(true);
    await stream.stop();
    expect(stream.names().toSorted()).toEqual([...expected, "last"].toSorted());
  });

  it("do not tell what is not committed, and tell it when it is, however late", async () => {
    const stream = watch();
    await ready(stream);
    const open = Promise.withResolvers<void>();
    const inserted = Promise.withResolvers<void>();
    const slow = rig.owner.begin(async (tx) => {
      await insert(tx, "slow");
      inserted.resolve();
      await open.promise;
    });
    await inserted.promise;
    await insert(rig.owner, "quick");
    await expect.poll(stream.names).toEqual(["quick"]);
    open.resolve();
    await slow;
    await expect.poll(stream.names).toEqual(["quick", "slow"]);
    await stream.stop();
  });

  it("go on after any event as if the connection had never been lost, also within a large batch", async () => {
    const stream = watch();
    await ready(stream);
    await rig.owner.begin(async (tx) => {
      for (let i = 0; i < 230; i++) await insert(tx, `n${String(i).padStart(3, "0")}`, 1, (230 - i) / 10);
    });
    await insert(rig.owner, "after");
    await expect.poll(() => stream.names().length).toBe(231);
    await stream.stop();
    const all = stream.names();
    expect(new Set(all).size).toBe(231);
    for (const at of [0, 1, 57, 100, 101, 200, 230, 231]) {
      const resumed = watch({ from: stream.events[at]?.id ?? "" });
      await expect.poll(() => resumed.names().length).toBe(231 - at);
      await resumed.stop();
      expect([...all.slice(0, at), ...resumed.names()]).toEqual(all);
    }
  });

  it("tell a call again when it is completed", async () => {
    const stream = watch();
    await ready(stream);
    await insert(rig.owner, "pending");
    await expect.poll(stream.names).toEqual(["pending"]);
    await rig.owner`UPDATE generation_logs SET generation_status = 'failed'`;
    await expect.poll(stream.names).toEqual(["pending", "pending"]);
    await stream.stop();
  });

  it("tell what their filter selects, of their own project", async () => {
    const stream = watch({ query: "user=mine" });
    const other = watch({ projectId: 2 });
    await ready(stream);
    await ready(other);
    for (const name of ["theirs", "mine"]) await insert(rig.owner, name);
    await insert(rig.owner, "of project 2", 2);
    await expect.poll(stream.names).toEqual(["mine"]);
    await expect.poll(other.names).toEqual(["of project 2"]);
    await Promise.all([stream.stop(), other.stop()]);
  });

  it("are woken by a hint, also from another collector", async () => {
    const elsewhere = createLiveHub({ sql: rig.owner, schema: "public", log: createLog("silent") });
    const stream = watch({ pollMillis: NEVER_MS });
    await ready(stream);
    // The listening session may still be opening: hints are repeated as commits are.
    const hints = setInterval(() => elsewhere.hint(1), 100);
    await insert(rig.owner, "hinted");
    await expect.poll(stream.names, { timeout: 10_000 }).toEqual(["hinted"]);
    clearInterval(hints);
    await stream.stop();
    await elsewhere.stop();
  });

  it("are bounded in all and by project; a place that is left can be taken again", async () => {
    const small = createLiveHub({ sql: rig.owner, schema: "public", log: createLog("silent"), maxStreams: 3, maxStreamsPerProject: 2 });
    const first = small.join(1);
    small.join(1);
    expect(() => small.join(1)).toThrow(/too many streams/);
    small.join(2);
    expect(() => small.join(2)).toThrow(/too many streams/);
    first.leave();
    small.join(2);
    await small.stop();
    expect(() => small.join(1)).toThrow(/too many streams/);
  });

  describe("over HTTP", () => {
    const open = (path: string, headers: Record<string, string> = {}) => rig.app.request(`http://localhost${path}`, { headers });

    it("are server-sent events that resume by Last-Event-ID, and end when their reader leaves", async () => {
      const response = await open("/api/stream?model=m");
      expect(response.headers.get("content-type")).toContain("text/event-stream");
      const reader = response.body!.getReader();
      const [first] = eventsIn(Buffer.from((await reader.read()).value ?? []).toString());
      expect(first?.event).toBe("ready");
      await reader.cancel();
      await insert(rig.owner, "meanwhile");
      const again = await open("/api/stream?model=m", { "last-event-id": first?.id ?? "" });
      const resumed = again.body!.getReader();
      let text = "";
      while (eventsIn(text).length < 2) text += Buffer.from((await resumed.read()).value ?? []).toString();
      expect(eventsIn(text).map(({ event, data }) => [event, data.user_id])).toEqual([
        ["ready", undefined],
        ["generation", "meanwhile"],
      ]);
      await resumed.cancel();
    });

    it("say so where a reader was away for too long to be told one by one", async () => {
      const [{ seen }] = await rig.owner<[{ seen: string }]>`SELECT pg_current_snapshot()::text AS seen`;
      const response = await open(`/api/stream?last_event_id=${writePosition({ seen, atSeconds: 1_000 })}`);
      const reader = response.body!.getReader();
      expect(eventsIn(Buffer.from((await reader.read()).value ?? []).toString())[0]?.event).toBe("reset");
      await reader.cancel();
    });

    it.each(["?from=-24h", "?limit=5", "?sort=cost", "?last_event_id=forged", "?last_event_id=W10", "?nothing=x"])(
      "refuse what makes no sense: %s",
      async (query) => {
        expect((await open(`/api/stream${query}`)).status).toBe(400);
      },
    );
  });
});

describe("a position", () => {
  it.each([
    { seen: "10:20:10,12", atSeconds: 1_795_000_000 },
    {
      seen: "10:10:",
      atSeconds: 5,
      until: "11:12:",
      last: ["2026-11-21 08:00:00.123456+00", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"] as const,
    },
  ])("comes back from its text", (position) => {
    expect(readPosition(writePosition(position))).toEqual(position);
  });

  it.each([
    "",
    "x",
    "W10",
    Buffer.from('[1,"10:20:; DROP TABLE spans"]').toString("base64url"),
    Buffer.from("[1]").toString("base64url"),
    "é",
  ])("is nothing that somebody made up: %j", (text) => {
    expect(readPosition(text)).toBeUndefined();
  });
});
