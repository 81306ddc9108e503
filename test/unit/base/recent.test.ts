import fc from "fast-check";
import { expect, it } from "vitest";
import { createRecent } from "../../../collector/base/recent.ts";

it("keeps the last entries that were set, each with its last value, and never more than twice as many", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (keys, count) => {
      const recent = createRecent<number>(count);
      for (const [i, key] of keys.entries()) recent.set(String(key), i);
      const lastOf = (key: number): number => keys.lastIndexOf(key);
      const newestFirst = [...new Set(keys.toReversed())];
      for (const key of newestFirst.slice(0, count - 1)) expect(recent.get(String(key))).toBe(lastOf(key));
      const values = [...recent.values()];
      expect(values.length).toBeLessThanOrEqual(2 * count);
      expect(new Set(values).size).toBe(values.length);
      for (const key of new Set(keys)) expect([undefined, lastOf(key)]).toContain(recent.get(String(key)));
    }),
  );
});
