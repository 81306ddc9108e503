import { describe, expect, it } from "vitest";
import { explainConnectError } from "../../../schema/connect.ts";
import { SchemaError } from "../../../schema/schema-error.ts";

const URL_GIVEN = "postgres://writer:s3cret@db.test:5433/app";
const explain = (code: string): unknown => explainConnectError(Object.assign(new Error("raw"), { code }), URL_GIVEN);

describe("a connection that fails", () => {
  it.each([
    ["ECONNREFUSED", /no PostgreSQL answers at db\.test:5433: start it/],
    ["ENOTFOUND", /host of db\.test:5433 is not known: correct it/],
    ["CONNECT_TIMEOUT", /cannot be reached: check the address/],
    ["28P01", /refuses the user "writer": check user and password/],
    ["3D000", /database "app" does not exist .*: create it/],
    ["ECONNRESET", /breaks off the connection: check/],
    ["53300", /no connection left: raise its max_connections/],
    ["57P03", /is starting up or shutting down: start again/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /certificate .* is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): correct it/],
    ["42704", /refuses the connection \(42704\): check the settings/],
  ])("with %s is one sentence that says what to do, without the password", (code, sentence) => {
    const told = explain(code);
    expect(told).toBeInstanceOf(SchemaError);
    expect((told as Error).message).toMatch(sentence);
    expect((told as Error).message).not.toContain("s3cret");
  });

  it("because of a defect stays what it is", () => {
    const defect = new TypeError("x is not a function");
    expect(explainConnectError(defect, URL_GIVEN)).toBe(defect);
  });
});
