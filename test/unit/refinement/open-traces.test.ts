import { expect, it } from "vitest";
import { createOpenTraces } from "../../../collector/refinement/open-traces.ts";

/** The sweeps, counted from 1, that look at a trace which goes on waiting. */
function looksOf(sweeps: number): number[] {
  const open = createOpenTraces<number>();
  open.note(new Map([["a", 1]]), ["a"]);
  const looks: number[] = [];
  for (let sweep = 1; sweep <= sweeps; sweep++) {
    const found = open.toLookAt();
    if (found.length > 0) looks.push(sweep);
    open.note(new Map(found), ["a"]);
  }
  return looks;
}

it("looks at a trace that waits more and more seldom, and gives it up after an hour of sweeps", () => {
  expect(looksOf(1_000)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
});

it("tells which traces begin to wait, once for each", () => {
  const open = createOpenTraces<number>();
  const looked = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  expect(open.note(looked, ["a"])).toEqual([["a", 1]]);
  expect(open.note(looked, ["a", "b"])).toEqual([["b", 2]]);
  expect(open.note(looked, [])).toEqual([]);
  expect(open.note(looked, ["a"])).toEqual([["a", 1]]);
});

it("forgets a trace that waits no more", () => {
  const open = createOpenTraces<number>();
  open.note(
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
    ["a", "b"],
  );
  open.note(new Map([["a", 1]]), []);
  expect(open.toLookAt()).toEqual([["b", 2]]);
});

it("holds a bounded number of traces, the newest", () => {
  const open = createOpenTraces<number>();
  const names = Array.from({ length: 6_000 }, (_, i) => `t${i}`);
  open.note(new Map(names.map((name, i) => [name, i])), names);
  const found = open.toLookAt();
  expect(found).toHaveLength(5_000);
  expect(found.at(-1)).toEqual(["t5999", 5_999]);
});
