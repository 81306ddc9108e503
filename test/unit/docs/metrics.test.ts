import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../collector/base/metrics.ts";

const text = readFileSync(new URL("../../../docs/operating.md", import.meta.url), "utf8");

/** Rows of the table of metrics: name, type, labels. */
const documented = [...text.matchAll(/^\| (genspan_\w+) \| (\w+) \| ([\w, ]*) ?\|/gm)].map(([, name, type, labels]) => [
  name,
  type,
  (labels ?? "")
    .split(",")
    .map((label) => label.trim())
    .filter((label) => label !== "")
    .toSorted(),
]);

describe("the table of metrics in docs/operating.md", () => {
  it("has every metric of the collector with its type, and no other", async () => {
    const metrics = await createMetrics().registry.getMetricsAsJSON();
    const known = metrics.map(({ name, type }) => [name, type]);
    expect(documented.map(([name, type]) => [name, type]).toSorted()).toEqual(known.toSorted());
  });

  it("has their labels", () => {
    const { registry } = createMetrics();
    for (const [name, , labels] of documented) {
      const metric = registry.getSingleMetric(String(name)) as unknown as { labelNames: string[] };
      expect([name, [...metric.labelNames].toSorted()]).toEqual([name, labels]);
    }
  });
});
