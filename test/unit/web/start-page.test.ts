import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../collector/base/metrics.ts";
import { exampleCurl } from "../../../dashboards/web/example-request.ts";
import { itemTotals } from "../../../dashboards/web/item-totals.ts";
import { reachableUrl } from "../../../dashboards/web/otlp-url.ts";
import { START_CSS, START_SCRIPT, type StartPageModel, startPage } from "../../../dashboards/web/start-page.ts";

const MODEL: StartPageModel = {
  version: "1.2.3",
  now: new Date("2026-03-04T12:00:00Z"),
  otlpUrl: "http://127.0.0.1:4318",
  needsKey: false,
  unready: undefined,
  database: "postgres://genspan@127.0.0.1:4320/genspan",
  latest: { spans: [], calls: [], hour: { calls: "0", failed: "0", tokens: null } },
  items: [],
};
const page = (change: Partial<StartPageModel> = {}): string => String(startPage({ ...MODEL, ...change }));

describe("the start page", () => {
  it.each([
    [undefined, "ok", /^Ready/],
    ["database", "bad", /database takes no writes/],
    ["disk", "bad", /^Nearly out of disk space/],
    ["stopping", "bad", /^Stopping/],
  ] as const)("says that it is %s", (unready, className, text) => {
    const [, shownClass, shownText] = /id="status" role="status" class="(\w+)">([^<]+)</.exec(page({ unready }))!;
    expect(shownClass).toBe(className);
    expect(shownText).toMatch(text);
  });

  it("says which part the database did not give, and shows the others", () => {
    const shown = page({ latest: { spans: undefined, calls: [], hour: undefined } });
    expect(shown.match(/did not answer in time/g)).toHaveLength(2);
    expect(shown).toContain("No model call yet");
    expect(page({ latest: undefined }).match(/did not answer in time/g)).toHaveLength(3);
  });

  it("tells where the key goes only where one is needed", () => {
    expect(page()).not.toContain("YOUR_KEY");
    expect(page({ needsKey: true }).match(/YOUR_KEY/g)).toHaveLength(2);
  });

  it("shows unknown values as such, and never as zero", () => {
    const call = { start_time: new Date(0), service_name: null, model_name: null, tokens_total: null, duration_ms: null };
    const shown = page({
      latest: { spans: [], calls: [{ ...call, generation_status: "pending", trace_id: "a".repeat(32) }], hour: undefined },
    });
    expect(shown.match(/>–</g)).toHaveLength(4);
  });

  it("gives times of today without the date, others with it", () => {
    const span = { service_name: "s", name: "n", trace_id: "b".repeat(32), status_code: 1, duration_ms: 1 };
    const at = (time: string) => page({ latest: { spans: [{ ...span, received_at: new Date(time) }], calls: [], hour: undefined } });
    expect(at("2026-03-04T11:59:58Z")).toContain(">11:59:58 UTC<");
    expect(at("2026-03-03T23:59:58Z")).toContain(">2026-03-03 23:59:58 UTC<");
  });

  it("has nothing inline and nothing from elsewhere, as its policy wants", () => {
    expect(page()).not.toMatch(/<script(?! src="\/)|<style|style="|\son[a-z]+="/);
    expect(
      page()
        .match(/(?:src|href)="[^"]*"/g)!
        .filter((each) => !/"(\/|#|data:,)/.test(each)),
    ).toEqual([]);
    expect(START_CSS + START_SCRIPT).not.toMatch(/https?:|@import|url\(/);
  });

  it("escapes what came from outside", () => {
    const span = {
      received_at: new Date(0),
      service_name: "<b>",
      name: '"><script>',
      trace_id: "b".repeat(32),
      status_code: 2,
      duration_ms: 1,
    };
    const shown = page({ latest: { spans: [span], calls: [], hour: undefined } });
    expect(shown).toContain("&lt;b&gt;");
    expect(shown).not.toContain("<script>");
  });
});

describe("the curl on it", () => {
  it("is one request with fresh ids in any POSIX shell, with the key where one is needed", () => {
    const run = (keyHeader?: string): string[] =>
      execFileSync("sh", ["-c", `curl() { printf '%s\\0' "$@"; }\n${exampleCurl("http://127.0.0.1:4318", keyHeader)}`])
        .toString()
        .split("\0");
    const bodyOf = (args: string[]) => JSON.parse(args[args.indexOf("-d") + 1]!).resourceSpans[0].scopeSpans[0].spans[0];
    const [first, second] = [bodyOf(run()), bodyOf(run())];
    expect(first.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(first.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(second.traceId).not.toBe(first.traceId);
    expect(Math.abs(Number(first.startTimeUnixNano) / 1e6 - Date.now())).toBeLessThan(10_000);
    expect(run(" -H 'Authorization: Bearer K'")).toContain("Authorization: Bearer K");
  });
});

describe("the address that a visitor is told", () => {
  it.each([
    ["http://127.0.0.1:4318", "localhost", "http://127.0.0.1:4318"],
    ["http://0.0.0.0:4318", "telemetry.example.org", "http://telemetry.example.org:4318"],
    ["http://[::]:4318", "[fe80::1]", "http://[fe80::1]:4318"],
    ["http://0.0.0.0:4318", "a$(reboot)", "http://0.0.0.0:4318"],
    ["", "localhost", ""],
  ])("bound to %j, visited as %j: %j", (bound, visited, told) => {
    expect(reachableUrl(bound, visited)).toBe(told);
  });
});

describe("what became of the items", () => {
  it("is told for every signal that came, by outcome", async () => {
    const metrics = createMetrics();
    metrics.received.inc({ signal: "traces" }, 10);
    metrics.items.inc({ signal: "traces", outcome: "stored" }, 6);
    metrics.items.inc({ signal: "traces", outcome: "duplicate" }, 1);
    metrics.items.inc({ signal: "traces", outcome: "rejected" }, 2);
    metrics.items.inc({ signal: "traces", outcome: "refused" }, 1);
    metrics.received.inc({ signal: "metrics" }, 3);
    const totals = await itemTotals(metrics);
    expect(totals.map(({ signal }) => signal)).toEqual(["traces", "logs", "metrics"]);
    expect(totals[0]).toMatchObject({ received: 10, stored: 6, duplicate: 1, rejected: 2, refused: 1 });
    expect(totals[2]).toMatchObject({ received: 3, stored: 0 });
  });
});
