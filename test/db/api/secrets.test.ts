import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";

const CANARY = "canary-secret-51ab";
/** What people must never be told: SQL, its errors, addresses, files, stack traces. */
const TELLTALE =
  /\b(SELECT|INSERT|UPDATE|DELETE FROM|relation|duplicate key|violates|ECONNREFUSED|postgres(ql)?:\/\/|node_modules|at async)\b|\.ts:\d/;

describeEachServer("errors", (server) => {
  let rig: ApiRig;
  beforeAll(async () => {
    rig = await createApiRig(server);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  /** Answers of the API to requests of which each carries the canary somewhere. */
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await rig.app.request(`http://localhost${path}`, init);
    return { status: response.status, text: await response.text() };
  };
  const post = (path: string, body: string, type = "application/json") =>
    ask(path, { method: "POST", body, headers: { "content-type": type } });
  const quiet = ({ text }: { text: string }): void => {
    expect(text).not.toContain(CANARY);
    expect(text).not.toMatch(TELLTALE);
    expect(JSON.stringify(rig.logged)).not.toContain(CANARY);
  };

  describe("PRV-05 of requests tell nothing of what was sent, in their answers or in the log", () => {
    it.each([
      ["a body that is no JSON", () => post("/api/erase", `{"kind": "${CANARY}`)],
      ["a body of the wrong shape", () => post("/api/erase", JSON.stringify({ kind: CANARY, value: CANARY }))],
      ["a body of the wrong type", () => post("/api/erase", CANARY, "text/plain")],
      ["a body that is too large", () => post("/api/alerts", JSON.stringify({ name: CANARY + "x".repeat(2_000_000) }))],
      [
        "a rule whose address is no address",
        () => post("/api/alerts", JSON.stringify({ name: "x", condition: {}, channels: [{ type: "webhook", url: CANARY }] })),
      ],
      ["a file that cannot be read", () => post("/api/import", `{"${CANARY}": `)],
      [
        "a row that does not fit",
        () => post("/api/import", JSON.stringify({ id: CANARY, run_id: CANARY, items_requested: CANARY, started_at: CANARY })),
      ],
      ["an id in an address", () => ask(`/api/alerts/${CANARY}`)],
      ["a value of a filter", () => ask(`/api/generations?min_ms=${CANARY}`)],
      ["a position of a stream", () => ask(`/api/stream?last_event_id=${CANARY}`)],
    ])("%s", async (_, request) => {
      quiet(await request());
    });
  });

  describe("PRV-05 of the database tell nothing of it", () => {
    it.each([
      ["a table that is not there (42P01)", "ALTER TABLE generation_logs RENAME TO away", "ALTER TABLE away RENAME TO generation_logs"],
      [
        "a right that is missing (42501)",
        "REVOKE SELECT ON generation_logs FROM PUBLIC; ALTER TABLE generation_logs RENAME COLUMN user_id TO gone",
        "ALTER TABLE generation_logs RENAME COLUMN gone TO user_id",
      ],
    ])("%s", async (_, harm, heal) => {
      await rig.owner.unsafe(harm);
      try {
        const { status, text } = await ask(`/api/generations?user=${CANARY}`);
        expect(status).toBeGreaterThanOrEqual(500);
        quiet({ text });
        const erased = await post("/api/erase", JSON.stringify({ kind: "user", value: CANARY }));
        expect(erased.status).toBe(500);
        quiet(erased);
        expect(rig.logged.length).toBeGreaterThan(0);
      } finally {
        await rig.owner.unsafe(heal);
      }
    });

    it("a question that takes too long (57014)", async () => {
      const slow = rig.services.reader.read({ projectId: 1, timeoutMillis: 50 }, (ask) =>
        ask({ texts: [`SELECT pg_sleep(5), '${CANARY}'`], values: [] }),
      );
      await expect(slow).rejects.toThrow(/no answer within 0.05 s/);
      quiet({ text: String(await slow.catch((error: unknown) => error)) });
    });
  });
});
