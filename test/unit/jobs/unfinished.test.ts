import { describe, expect, it } from "vitest";
import { noteFailure, type Unfinished, unlessFailed } from "../../../collector/jobs/unfinished.ts";

const failing = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error("no"), { code });
};

describe("a step of a run over many relations", () => {
  const run = async (work: () => Promise<void>, signal?: AbortSignal): Promise<Unfinished> => {
    const report: Unfinished = { busy: [], failed: [] };
    const step = { report, table: "spans", relation: "spans_20261121", signal };
    for (let time = 0; time < 2; time++) await unlessFailed(step, work);
    return report;
  };

  it("is reported busy by its table, once, where somebody holds a lock or wins a deadlock", async () => {
    for (const code of ["55P03", "40P01"]) expect(await run(failing(code))).toEqual({ busy: ["spans"], failed: [] });
  });

  it("is reported failed by its relation, once per code, where it failed otherwise", async () => {
    expect(await run(failing("2BP01"))).toEqual({ busy: [], failed: [{ relation: "spans_20261121", code: "2BP01" }] });
    const report: Unfinished = { busy: [], failed: [] };
    for (const code of ["42501", "42501", "53100"]) noteFailure(report, { relation: "spans", code });
    expect(report.failed.map(({ code }) => code)).toEqual(["42501", "53100"]);
  });

  it("is not begun once the run was told to end, and an error after that is the end of the run", async () => {
    let begun = 0;
    await run(async () => void begun++, AbortSignal.abort());
    expect(begun).toBe(0);
    const ending = new AbortController();
    const broken = async (): Promise<void> => {
      ending.abort();
      await failing("57P01")();
    };
    await expect(run(broken, ending.signal)).rejects.toMatchObject({ code: "57P01" });
  });
});
