import { describe, expect, it } from "vitest";
import { errorCode } from "../../../collector/base/error-code.ts";

describe("the code of an error", () => {
  it.each([
    ["a database error's", Object.assign(new Error("relation secret does not exist"), { code: "42P01" }), "42P01"],
    ["a system error's", Object.assign(new Error("connect ECONNREFUSED 10.1.2.3"), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
  ])("is %s own", (_, error, code) => {
    expect(errorCode(error)).toBe(code);
  });

  it.each([
    ["an error without one", new Error("no code")],
    ["an exception of the web platform, whose codes are numbers", new DOMException("aborted", "AbortError")],
    ["a text", "thrown text"],
    ["null", null],
    ["nothing", undefined],
  ])("is unknown for %s, or what the caller says", (_, error) => {
    expect(errorCode(error)).toBe("unknown");
    expect(errorCode(error, "connection_lost")).toBe("connection_lost");
  });
});
