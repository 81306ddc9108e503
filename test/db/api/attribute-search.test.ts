import { afterAll, beforeAll, expect, it } from "vitest";
import { type ApiRig, createApiRig } from "../../support/api-rig.ts";
import { describeEachServer } from "../../support/database.ts";
import { idsOf, storeGenerations } from "../../support/generation-rows.ts";
import { pagesOf } from "../../support/pages.ts";

const CALLS = 60;
const MINUTE_MS = 60_000;
const PLAIN = "00000000-0000-4000-8000-000000000001";
const WORKER = "00000000-0000-4000-8000-000000000002";

describeEachServer("a search for attributes", (server) => {
  let rig: ApiRig;

  beforeAll(async () => {
    rig = await createApiRig(server);
    const { owner } = rig;
    const now = Date.now();
    await owner`INSERT INTO projects (id, name, created_at) VALUES (2, 'second', now())`;
    for (const project_id of [1, 2])
      for (const [id, host] of [
        [PLAIN, "plain"],
        [WORKER, "worker-1"],
      ] as const)
        await owner`INSERT INTO resources ${owner({ project_id, id, attributes: { host: project_id === 1 ? host : "worker-1" } })}`;
    const calls = Array.from({ length: CALLS }, (_, i) => ({
      start_time: new Date(now - (i * 20 + 1) * MINUTE_MS),
      additional_metadata: { often: "yes", some: i % 5 === 0 ? "metadata" : "no" },
      model_parameters: { some: i % 5 === 1 ? "parameters" : "no" },
    }));
    await storeGenerations(owner, calls);
    for (const [i, { start_time }] of calls.entries())
      await owner`INSERT INTO spans ${owner({
        project_id: 1,
        ...idsOf(i + 1),
        start_time,
        start_nano: 0,
        name: "chat",
        service_name: "s",
        kind: 3,
        status_code: 0,
        resource_id: i % 30 === 29 ? WORKER : PLAIN,
        attributes: {
          rare: i === CALLS - 2 ? "span" : "no",
          route: i % 2,
          list: [`n${i}`, i, i % 2 === 0, `even ${i % 2}`],
          object: { a: i },
        },
        received_at: start_time,
      })}`;
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());

  it.each([
    ["attr.often=yes", CALLS],
    ["attr.some=metadata", CALLS / 5],
    ["attr.some=metadata&attr.some=parameters", (2 * CALLS) / 5],
    ["attr.rare=span", 1],
    ["attr.rare=span&attr.some=no", 1],
    ["attr.route=1", CALLS / 2],
    ["attr.host=worker-1", 2],
    ["attr.host=worker-1&attr.rare=span", 0],
    ["-attr.host=worker-1", CALLS - 2],
    ["-attr.rare=no", 1],
    ["attr.host=worker-1&status=success", 2],
    ["attr.never=there", 0],
    ["attr.list=n7", 1],
    ["attr.list=7", 1],
    ["attr.list=7.0", 1],
    ["attr.list=true", CALLS / 2],
    ["attr.list=even 1", CALLS / 2],
    ["attr.list=even", 0],
    ["attr.list=n7&attr.list=n8", 2],
    ["-attr.list=n7", CALLS - 1],
    [`attr.list=${encodeURIComponent('["n7", 7, false, "even 1"]')}`, 1],
    [`attr.object=${encodeURIComponent('{"a": 7}')}`, 1],
    ["attr.object=a", 0],
    ["attr.rare=1e999999", 0],
    ["attr.rare=null", 0],
    [`attr.rare=${encodeURIComponent('"span"')}`, 0],
  ])("%s finds the same in a day as in a month, newest first", async (attributes, count) => {
    const day = await pagesOf(rig, `from=-24h&${attributes}`);
    expect(day.ids).toHaveLength(count);
    expect(day).toEqual(await pagesOf(rig, `from=-720h&${attributes}`));
    expect((await pagesOf(rig, `from=-24h&sort=time&${attributes}`)).ids).toEqual(day.ids.toReversed());
  });

  it("goes on row by row where more spans have the attribute than are worth listing", async () => {
    const { owner } = rig;
    const at = new Date(Date.now() - 600 * MINUTE_MS);
    await owner`INSERT INTO spans (project_id, trace_id, span_id, start_time, start_nano, name, service_name, kind, status_code, resource_id, attributes, received_at)
      SELECT 1, lpad(to_hex(n + 4096), 32, '0'), lpad(to_hex(n + 4096), 16, '0'), ${at}, 0, 'step', 's', 1, 0, ${PLAIN}, '{"rare": "span"}', ${at} FROM generate_series(1, 1100) AS n`;
    expect((await pagesOf(rig, "from=-24h&attr.rare=span")).ids).toHaveLength(1);
  });
});
