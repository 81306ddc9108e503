import { describe, expect, it } from "vitest";
import { comparisonOf } from "../../../../collector/query/runs/compare.ts";
import { inconsistenciesOf, type RunRow } from "../../../../collector/query/runs/one.ts";

const run = (values: Partial<RunRow>): RunRow => values as RunRow;

describe("counts of a run", () => {
  it("that fall from stage to stage are consistent, whatever is unknown", () => {
    expect(inconsistenciesOf({ items_requested: 50, items_approved: 40, items_inserted: 40 })).toEqual([]);
    expect(inconsistenciesOf({})).toEqual([]);
  });

  it("that grow, or do not add up, are told", () => {
    expect(inconsistenciesOf({ items_requested: 50, items_generated: 51 })).toEqual([
      "items_generated (51) is more than items_requested (50)",
    ]);
    expect(inconsistenciesOf({ items_evaluated: 10, items_approved: 5, items_rejected: 4 })).toEqual([
      "items_approved (5) and items_rejected (4) are not items_evaluated (10)",
    ]);
  });
});

describe("runs beside each other", () => {
  it("are compared with the first; numbers beyond 2^53 count as numbers", () => {
    const { figures } = comparisonOf([
      run({ total_api_calls: 100, approval_rate: 0.5, duplicates_found: 0 }),
      run({ total_api_calls: "9007199254740993", approval_rate: null, duplicates_found: 0 }),
    ]);
    expect(figures).toEqual([
      { name: "approval_rate", values: [0.5, null], deltas: [0, null], verdicts: [null, null] },
      { name: "duplicates_found", values: [0, 0], deltas: [0, 0], verdicts: [null, "equal"] },
      { name: "total_api_calls", values: [100, 9007199254740992], deltas: [0, 9007199254740892], verdicts: [null, "worse"] },
    ]);
  });

  it("have no difference to a first one that does not know the figure", () => {
    const { figures } = comparisonOf([run({ approval_rate: null }), run({ approval_rate: 0.9 })]);
    expect(figures).toEqual([{ name: "approval_rate", values: [null, 0.9], deltas: [null, null], verdicts: [null, null] }]);
  });
});
