import { describe, expect, it } from "vitest";
import { isObject, numberOf } from "../../../collector/base/json-values.ts";

describe("values of JSON that others wrote", () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [{ length: 0 }, true],
    [[], false],
    [null, false],
    [undefined, false],
    ["{}", false],
    [0, false],
  ])("%j: an object? %s", (value, expected) => {
    expect(isObject(value)).toBe(expected);
  });

  it.each<[unknown, number | undefined]>([
    [12.5, 12.5],
    [0, 0],
    ["12.5", 12.5],
    [" 7 ", 7],
    ["1e3", 1000],
    ["", undefined],
    [" ", undefined],
    ["12 tokens", undefined],
    ["Infinity", undefined],
    [Number.NaN, undefined],
    [true, undefined],
    [null, undefined],
    [[7], undefined],
  ])("%j as a number is %j", (value, expected) => {
    expect(numberOf(value)).toBe(expected);
  });
});
