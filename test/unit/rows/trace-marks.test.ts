import { describe, expect, it } from "vitest";
import { MARK_ANNOUNCEMENT, MARK_CALL, MARK_HTTP, needsRefinement, type TraceMark, withMark } from "../../../collector/rows/trace-marks.ts";

const mark = (bits: number, millis = 0): TraceMark => ({ traceId: "t", bits, fromMillis: millis, toMillis: millis });
const isReason = (...marks: readonly TraceMark[]): boolean =>
  needsRefinement(marks.reduce<TraceMark | undefined>(withMark, undefined)?.bits ?? 0);

describe("what came for a trace is a reason to look at it", () => {
  it.each([
    ["a call", [MARK_CALL], false],
    ["two calls", [MARK_CALL, MARK_CALL], true],
    ["an announcement and its call", [MARK_ANNOUNCEMENT, MARK_CALL], false],
    ["an announcement that comes after a call", [MARK_CALL, MARK_ANNOUNCEMENT], true],
    ["two announcements", [MARK_ANNOUNCEMENT, MARK_ANNOUNCEMENT], false],
    ["a request over HTTP", [MARK_HTTP], false],
    ["a request over HTTP and a call", [MARK_HTTP, MARK_CALL], true],
  ])("or not: %s", (_, bits, expected) => {
    expect(isReason(...bits.map((each) => mark(each)))).toBe(expected);
  });

  it("within the times of all of it", () => {
    expect(withMark(mark(MARK_CALL, 20), mark(MARK_HTTP, 10))).toEqual({ ...mark(MARK_CALL | MARK_HTTP), fromMillis: 10, toMillis: 20 });
  });
});
