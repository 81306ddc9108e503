import { describe, expect, it } from "vitest";
import { addressBelow } from "../../../collector/base/address.ts";

describe("a path of a server", () => {
  it.each([
    ["http://127.0.0.1:4319", "/api/usage?by=model", "http://127.0.0.1:4319/api/usage?by=model"],
    ["https://host.example/", "/api/usage", "https://host.example/api/usage"],
    ["https://host.example/team/telemetry", "/api/usage", "https://host.example/team/telemetry/api/usage"],
    ["https://host.example/telemetry/", "/livez", "https://host.example/telemetry/livez"],
    ["https://host.example/telemetry?theme=dark#top", "/livez", "https://host.example/telemetry/livez"],
    ["https://host.example/telemetry", "//other.example/x", "https://host.example/telemetry/other.example/x"],
  ])("of %s, %s, keeps the server's own path", (base, path, address) => {
    expect(addressBelow(base, path).href).toBe(address);
  });
});
