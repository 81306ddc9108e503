import { describe, expect, it } from "vitest";
import { Condition } from "../../../collector/alerts/condition.ts";
import { linkOf } from "../../../collector/alerts/link.ts";

const AT = new Date("2026-11-21T08:00:00Z");
const link = (condition: object, things: readonly string[] = []): URL => {
  const whole = Condition.parse({ compare: "above", threshold: 0, window_seconds: 600, ...condition });
  return new URL(linkOf("https://genspan.example/base", { condition: whole, at: AT, things }) ?? "");
};
const queryOf = (url: URL): [string, string][] => [...url.searchParams];

describe("the link of an alert", () => {
  it.each([
    ["failures", "generations", ["status=failed", "status=timeout"]],
    ["failure_rate", "generations", ["status=failed", "status=timeout"]],
    ["timeouts", "generations", ["status=timeout"]],
    ["unpriced", "generations", ["has=unpriced"]],
    ["pending_review", "generations", ["quality=pending_review"]],
    ["image_failures", "images", ["status=failed"]],
    ["cost", "generations", []],
  ])("of %s leads to the rows that made the number, in all its windows", (metric, page, speaksOf) => {
    const url = link({ metric, filter: "env=production", consecutive: 3 });
    expect(url.pathname).toBe(`/base/${page}`);
    expect(queryOf(url)).toEqual(
      ["env=production", ...speaksOf, "from=2026-11-21T07:30:00.000Z", "to=2026-11-21T08:00:00.000Z"].map((each) => each.split("=")),
    );
  });

  it("keeps a status of the rule's own, since alternatives would add rows", () => {
    expect(link({ metric: "failures", filter: "status=failed" }).searchParams.getAll("status")).toEqual(["failed"]);
  });

  it("opens the one thing that it is about", () => {
    expect(link({ metric: "run_success_rate" }, ["nightly-7"]).href).toBe("https://genspan.example/base/runs/nightly-7");
    expect(link({ metric: "stuck_runs" }, ["nightly-7"]).href).toBe("https://genspan.example/base/runs/nightly-7");
    expect(queryOf(link({ metric: "stuck_runs" }, ["../evening?"]))).toEqual([["run", "../evening?"]]);
  });

  it("lists the few things that it is about, and no others", () => {
    expect(queryOf(link({ metric: "run_success_rate", filter: "env=a" }, ["a", "b"]))).toEqual([
      ["run", "a"],
      ["run", "b"],
    ]);
    expect(link({ metric: "image_failed" }, ["a", "b"]).search).toBe("?image=a&image=b");
  });

  it("of many stuck runs leads to all that began before the window", () => {
    const many = Array.from({ length: 21 }, (_, i) => `run-${i}`);
    expect(queryOf(link({ metric: "stuck_runs" }, many))).toEqual([
      ["status", "running"],
      ["to", "2026-11-21T07:50:00.000Z"],
    ]);
    const nothing = link({ metric: "run_success_rate", consecutive: 3, no_data: "firing" });
    expect(queryOf(nothing)).toEqual([
      ["from", "2026-11-21T07:50:00.000Z"],
      ["to", "2026-11-21T08:00:00.000Z"],
    ]);
  });

  it("is left out where the collector does not know its own address", () => {
    const condition = Condition.parse({ metric: "cost", compare: "above", threshold: 0, window_seconds: 600 });
    expect(linkOf(undefined, { condition, at: AT })).toBeUndefined();
  });
});
