import { afterAll, beforeAll, expect, it } from "vitest";
import { createReader } from "../../../collector/query/reader.ts";
import { sql } from "../../../collector/query/sql.ts";
import { ensureReader } from "../../../schema/reader.ts";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { idsOf, storeGenerations } from "../../support/generation-rows.ts";

interface Answer {
  readonly data?: readonly { readonly id: string; readonly start_time: string }[];
  readonly next?: string | null;
  readonly error?: { readonly code: string; readonly message: string };
}

/** In full with GENSPAN_TEST_LONG. */
const ROWS = process.env["GENSPAN_TEST_LONG"] === "1" ? 100_000 : 3_000;
const SQL = ["x' OR 1=1 --", 'x"; DROP TABLE spans; --', "a->>b", "$.**", "%", "{}", "\\", "$1", "attributes", "x".repeat(10_000)];

describeEachServer("questions over the API", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
    await storeGenerations(rig.owner, [{ model_name: "gpt-5", additional_metadata: rig.owner.json({ tier: "gold", "a.b": "deep" }) }]);
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it("QRY-01 take any name of an attribute as a name, and nothing as SQL", async () => {
    for (const attribute of SQL) {
      for (const query of [
        `attr.${encodeURIComponent(attribute)}=gold`,
        `attr.tier=${encodeURIComponent(attribute)}`,
        `q=${encodeURIComponent(attribute)}`,
        `model=${encodeURIComponent(attribute)}`,
      ]) {
        const { status, body } = await rig.get<Answer>(`/api/generations?${query}`);
        const tooLong = attribute.length > 1_000;
        expect([query.slice(0, 60), status, body.data?.length]).toEqual([query.slice(0, 60), tooLong ? 400 : 200, tooLong ? undefined : 0]);
      }
    }
    expect((await rig.get<Answer>("/api/generations?attr.tier=gold")).body.data).toHaveLength(1);
    expect((await rig.get<Answer>("/api/generations?attr.a.b=deep")).body.data).toHaveLength(1);
    expect((await rig.get<Answer>("/api/generations?-attr.tier=gold")).body.data).toHaveLength(0);
    const [left] = await rig.owner`SELECT count(*)::int AS rows FROM generation_logs`;
    expect([left, rig.logged]).toEqual([{ rows: 1 }, []]);
  });

  it("QRY-02 sort and group by what is allowed, and by nothing else", async () => {
    for (const given of SQL.slice(0, -1).map(encodeURIComponent)) {
      for (const path of [
        `/api/generations?sort=${given}`,
        `/api/generations?sort=-${given}`,
        `/api/generations/stats?by=${given}`,
        `/api/usage?by=${given}`,
        `/api/generations?status=${given}`,
        `/api/generations?has=${given}`,
        `/api/traces?sort=${given}`,
      ]) {
        const { status, body } = await rig.get<Answer>(path);
        expect([path, status, body.error?.code]).toEqual([path, 400, "bad_request"]);
        expect(body.error?.message).not.toMatch(/syntax|relation|column "|SELECT/);
      }
    }
  });

  it("QRY-04 refuse limits beyond a thousand and cursors that nobody gave", async () => {
    const forged = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const cursors = [
      "x",
      "%00",
      forged([]),
      forged(["generations:-time", null, "2026-11-21 08:00:00+00", []]),
      forged(["generations:-time", null, "' OR 1=1", ["a", "b"]]),
      forged(["traces:-time", null, "2026-11-21 08:00:00+00", ["a", "b"]]),
      forged(["generations:-cost", "NaN'--", "2026-11-21 08:00:00+00", ["a", "b"]]),
      "a".repeat(9_000),
    ];
    for (const query of [
      "limit=-1",
      "limit=0",
      "limit=1001",
      "limit=1e9",
      "limit=abc",
      "limit=1.5",
      "limit=10&limit=20",
      ...cursors.map((cursor) => `after=${encodeURIComponent(cursor)}`),
      `sort=-cost&after=${forged(["generations:-cost", "9".repeat(40), "2026-11-21 08:00:00+00", ["a", "b"]])}`,
    ])
      expect([query.slice(0, 80), (await rig.get<Answer>(`/api/generations?${query}`)).status]).toEqual([query.slice(0, 80), 400]);
    expect((await rig.get<Answer>("/api/generations?limit=1000")).status).toBe(200);
    // A cursor of the right shape for a place where nothing is finds what lies behind it.
    const early = forged(["generations:-time", null, "1999-01-01 00:00:00+00", ["a", "b"]]);
    expect((await rig.get<Answer>(`/api/generations?after=${early}`)).body).toEqual({ data: [], next: null });
  });

  it("QRY-05 refuse times that are none or stand in the wrong order, and answer absurd ranges", async () => {
    for (const query of ["from=2026-13-45", "from=2026-02-30", "to=never", "from=-1h&to=-2h", "from=-1h&from=-2h"])
      expect([query, (await rig.get<Answer>(`/api/generations?${query}`)).status]).toEqual([query, 400]);
    for (const [query, count] of [
      ["from=2016-01-01&to=2036-01-01", 1],
      ["from=9999-12-31", 0],
      ["to=0001-01-01", 0],
    ] as const)
      expect([query, (await rig.get<Answer>(`/api/generations?${query}`)).body.data?.length]).toEqual([query, count]);
  });

  it("QRY-05 give up on a question that takes too long, say so, and are there for the next one", async () => {
    const { url } = await ensureReader({ url: rig.database.url, schema: "public" });
    const reader = createReader({ url, schema: "public", maxConnections: 1 });
    try {
      const slow = reader.read({ projectId: 1, timeoutMillis: 200 }, (ask) => ask(sql`SELECT pg_sleep(30)`));
      await expect(slow).rejects.toMatchObject({ code: "query_timeout", message: expect.stringContaining("from and to") });
      expect(await reader.read({ projectId: 1 }, (ask) => ask(sql`SELECT count(*) AS rows FROM generation_logs`))).toEqual([{ rows: 1 }]);
    } finally {
      await reader.end();
    }
  });

  it("can only read, and leave neither project nor settings behind", async () => {
    const { url } = await ensureReader({ url: rig.database.url, schema: "public" });
    const reader = createReader({ url, schema: "public", maxConnections: 1 });
    try {
      await expect(reader.read({ projectId: 1 }, (ask) => ask(sql`DELETE FROM generation_logs`))).rejects.toThrow();
      const of = (projectId: number) =>
        reader.read({ projectId }, (ask) => ask<{ rows: number }>(sql`SELECT count(*) AS rows FROM generation_logs`));
      expect([await of(1), await of(2), await of(1)]).toEqual([[{ rows: 1 }], [{ rows: 0 }], [{ rows: 1 }]]);
    } finally {
      await reader.end();
    }
  });

  it(`QRY-08 pages through ${ROWS} rows while new ones come in lose and repeat nothing`, { timeout: 600_000 }, async () => {
    const now = Date.now();
    const row = (n: number, start_time: string) => ({ ...idsOf(n), start_time });
    const insert = async (rows: readonly { trace_id: string; span_id: string; start_time: string }[]): Promise<void> => {
      await rig.owner`
        INSERT INTO generation_logs (project_id, trace_id, span_id, start_time, dialect, generation_status, model_name, logged_at, updated_at, received_at)
        SELECT 1, trace_id, span_id, start_time::timestamptz, 'semconv', 'success', 'paged', now(), now(), now()
        FROM unnest(${rows.map((each) => each.trace_id)}::text[], ${rows.map((each) => each.span_id)}::text[], ${rows.map((each) => each.start_time)}::text[]) AS r (trace_id, span_id, start_time)`;
    };
    // Several share each moment, so that pages end inside of one.
    const stored = Array.from({ length: ROWS }, (_, i) => row(1_000 + i, new Date(now - 3_600_000 - Math.floor(i / 7) * 10).toISOString()));
    for (let i = 0; i < ROWS; i += 5_000) await insert(stored.slice(i, i + 5_000));
    const seen: string[] = [];
    let after = "";
    let late = 0;
    do {
      const { body } = await rig.get<Answer>(
        `/api/generations?model=paged&limit=${ROWS / 10}&after=${after}`.replace(/limit=\d{4,}/, "limit=1000"),
      );
      seen.push(...body.data!.map(({ id }) => id));
      after = body.next ?? "";
      // Newer ones, and one older than everything.
      await insert([
        row(10_000_000 + late, new Date(now + late).toISOString()),
        row(20_000_000 + late, new Date(now - 1_800_000 - late).toISOString()),
      ]);
      late++;
    } while (after !== "");
    const expected = new Set(stored.map(({ trace_id, span_id }) => `${trace_id}-${span_id}`));
    const first = seen.filter((id) => expected.has(id));
    expect([new Set(seen).size, first.length]).toEqual([seen.length, ROWS]);
  });
});
