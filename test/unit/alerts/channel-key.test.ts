import { describe, expect, it } from "vitest";
import { channelKey, readTold } from "../../../collector/alerts/channel-key.ts";
import { Channels } from "../../../collector/alerts/channels.ts";

const keyOf = (channel: object, rule = "r"): string => channelKey(rule, Channels.parse([channel])[0]!);
const hook = { type: "webhook", url: "https://hooks.example/T0/secret-path", secret: "s3cret-of-hook" };

describe("the key of a channel", () => {
  it("is the same however its messages are signed, and whatever the order of recipients", () => {
    expect(keyOf({ ...hook, secret: "another one", template: "{{unused}}" })).toBe(keyOf(hook));
    expect(keyOf({ type: "email", to: ["b@example.org", "A@example.org"] })).toBe(
      keyOf({ type: "email", to: ["a@example.org", "b@example.org"] }),
    );
  });

  it("is another one for another target, another kind, another way of writing and another rule", () => {
    const keys = [
      keyOf(hook),
      keyOf({ ...hook, url: `${hook.url}2` }),
      keyOf({ ...hook, format: "slack" }),
      keyOf({ ...hook, format: "template", template: '{"a": 1}' }),
      keyOf({ ...hook, format: "template", template: '{"b": 1}' }),
      keyOf({ type: "log" }),
      keyOf({ type: "email", to: ["a@example.org"] }),
      keyOf(hook, "other"),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("says nothing of an address or a secret", () => {
    expect(keyOf(hook)).toMatch(/^webhook:[0-9a-f]{16}:[0-9a-f]{16}$/);
    expect(keyOf({ ...hook, format: "template", template: '"secret"' })).toMatch(/^webhook:[0-9a-f]{16}:[0-9a-f]{16}$/);
    expect(keyOf({ type: "email", to: ["a@example.org"] })).toMatch(/^email:[0-9a-f]{16}$/);
  });
});

describe("a note of the channels that took a message", () => {
  const mail = { type: "email", to: ["a@example.org"] };
  const slack = { ...hook, format: "slack" };
  const earlier = keyOf(hook).split(":", 2).join(":");
  const read = (note: readonly (string | number)[], ...channels: object[]) => {
    const told = readTold(note, "r", Channels.parse(channels));
    return channels.map((_, place) => [told.has(place), told.mayHave(place)]);
  };
  const [YES, MAYBE, NO] = [
    [true, true],
    [false, true],
    [false, false],
  ];

  it("tells apart webhooks to one address whose messages are written otherwise", () => {
    expect(read([keyOf(slack), keyOf(mail)], hook, slack, mail)).toEqual([NO, YES, YES]);
  });

  it("of an earlier version counts by places, and by addresses that one channel alone leads to", () => {
    expect(read([1], hook, slack)).toEqual([NO, YES]);
    expect(read([earlier, keyOf(mail)], mail, slack)).toEqual([YES, YES]);
    expect(read([earlier], hook, slack, mail)).toEqual([MAYBE, MAYBE, NO]);
  });

  it("knows a webhook again whose template was changed as one that may have taken it", () => {
    expect(read([keyOf(hook)], slack, mail)).toEqual([MAYBE, NO]);
    expect(read([keyOf(hook)], slack, hook)).toEqual([NO, YES]);
  });
});
