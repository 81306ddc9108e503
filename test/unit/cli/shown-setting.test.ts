import { describe, expect, it } from "vitest";
import { shownSetting } from "../../../collector/cli/shown-setting.ts";

describe("a setting on a screen", () => {
  it.each([
    ["postgres://joe:hunter3@db.example:5433/app", "postgres://…@db.example:5433/app"],
    ["postgres://u@h/db?password=topsecret&sslmode=require", "postgres://…@h/db?…"],
    ["postgresql://h/db", "postgresql://h/db"],
    ["postgres://u:x@h/100%zz", "postgres://…@h/…"],
    ["postgres://h", "postgres://h"],
    ["host=h password=dsnsecret", "…"],
    ["mysql://h/db", "…"],
    ["postgres://u:12/ss@h/db", "…"],
    ["postgres://u:12#secret@h/db", "…"],
    ["", "…"],
  ])("shows of the database %j its scheme, host, port and name alone", (value, shown) => {
    expect(shownSetting({ name: "database_url", value })).toBe(shown);
  });

  it.each([
    ["https://joe:hunter3@x.example", "https://…@x.example"],
    ["http://127.0.0.1:4319", "http://127.0.0.1:4319"],
    ["http://127.0.0.1:4319/", "http://127.0.0.1:4319"],
    ["http://[::1]:4319", "http://[::1]:4319"],
    ["https://x.example/hook/topsecret?token=topsecret#topsecret", "https://x.example/…?…"],
    ["no address", "…"],
  ])("shows of the collector %j its scheme, host and port alone", (value, shown) => {
    expect(shownSetting({ name: "url", value })).toBe(shown);
  });

  it.each(["gsk_0123456789abcdef", "12345678", "x"])("shows nothing of the key %s", (value) => {
    expect(shownSetting({ name: "key", value })).toBe("…");
  });

  it("shows folders, schemas and projects as they are", () => {
    expect(shownSetting({ name: "data_dir", value: "/srv/100%" })).toBe("/srv/100%");
    expect(shownSetting({ name: "schema", value: "app" })).toBe("app");
    expect(shownSetting({ name: "project", value: "2" })).toBe("2");
  });
});
