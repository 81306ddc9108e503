import { describe, expect, it } from "vitest";
import { channelKey } from "../../../collector/alerts/channel-key.ts";
import { Channels } from "../../../collector/alerts/channels.ts";

const keyOf = (channel: object, rule = "r"): string => channelKey(rule, Channels.parse([channel])[0]!);
const hook = { type: "webhook", url: "https://hooks.example/T0/secret-path", secret: "s3cret-of-hook" };

describe("the key of a channel", () => {
  it("is the same however its messages are signed and written, and whatever the order of recipients", () => {
    expect(keyOf({ ...hook, secret: "another one", format: "slack" })).toBe(keyOf(hook));
    expect(keyOf({ type: "email", to: ["b@example.org", "A@example.org"] })).toBe(
      keyOf({ type: "email", to: ["a@example.org", "b@example.org"] }),
    );
  });

  it("is another one for another target, another kind and another rule", () => {
    const keys = [
      keyOf(hook),
      keyOf({ ...hook, url: `${hook.url}2` }),
      keyOf({ type: "log" }),
      keyOf({ type: "email", to: ["a@example.org"] }),
      keyOf(hook, "other"),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("says nothing of an address or a secret", () => {
    expect(keyOf(hook)).toMatch(/^webhook:[0-9a-f]{16}$/);
    expect(keyOf({ type: "email", to: ["a@example.org"] })).toMatch(/^email:[0-9a-f]{16}$/);
  });
});
