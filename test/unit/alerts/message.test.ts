import { describe, expect, it } from "vitest";
import { type Channel, Channels, shownChannel, tell } from "../../../collector/alerts/channels.ts";
import { Condition, conditionText, filterOf, holds } from "../../../collector/alerts/condition.ts";
import { isSigned, type Notice, noticeText, signature, templateFault, webhookBody } from "../../../collector/alerts/message.ts";
import { createLog } from "../../../collector/base/log.ts";

const condition = Condition.parse({
  metric: "run_success_rate",
  filter: "env=production",
  compare: "below",
  threshold: 0.5,
  window_seconds: 604_800,
  consecutive: 3,
});
const notice: Notice = {
  event: "firing",
  eventId: "e-1",
  rule: { id: "r-1", name: 'Quiz <runs> & "more"', condition },
  project: "default",
  value: 0.41666,
  startedAt: "2026-11-21T08:00:00.000Z",
  resolvedAt: null,
  link: "https://genspan.example/runs?env=production",
};
const SECRET = "shared-secret";

describe("a message", () => {
  it("says in one line what fires, and where to look", () => {
    expect(noticeText(notice)).toBe(
      '🔴 Quiz <runs> & "more" fires (default): run_success_rate < 0.5, 3 times in a row, where env=production; measured 0.4167\nhttps://genspan.example/runs?env=production',
    );
    const rule = { ...notice.rule, name: " two\r\nlines\u2028of it " };
    expect(noticeText({ ...notice, rule }).split("\n")).toEqual([expect.stringContaining("🔴 two lines of it fires"), notice.link]);
    expect(noticeText({ ...notice, event: "resolved", value: null, link: undefined })).toContain("is over (default)");
  });

  it("names the currency of an amount, and those that are not in it", () => {
    const rule = { ...notice.rule, condition: Condition.parse({ metric: "cost", compare: "above", threshold: 5, window_seconds: 600 }) };
    expect(noticeText({ ...notice, rule, value: 7.5, leftOut: ["EUR", "GBP"], link: undefined })).toContain(
      "cost > 5 USD over 600 s; measured 7.5 USD, without costs in EUR, GBP",
    );
  });

  it("is JSON for programs, with rule, value, threshold and times", () => {
    expect(JSON.parse(webhookBody(notice, "json"))).toMatchObject({
      event: "firing",
      event_id: "e-1",
      rule: { id: "r-1", condition: { metric: "run_success_rate", consecutive: 3 } },
      value: 0.41666,
      threshold: 0.5,
      link: notice.link,
    });
  });

  it("has Slack's shape on request, with Slack's own marks escaped", () => {
    const { text } = JSON.parse(webhookBody(notice, "slack")) as { text: string };
    expect(text).toContain("Quiz &lt;runs&gt; &amp;");
  });

  it("fills in a template of one's own; what is filled in cannot break the JSON around it", () => {
    const body = webhookBody(
      notice,
      "template",
      '{"title": "{{name}}", "v": "{{value}}", "other": "{{unknown}}", "constructor": "{{constructor}}"}',
    );
    expect(JSON.parse(body)).toEqual({ title: notice.rule.name, v: "0.41666", other: "{{unknown}}", constructor: "{{constructor}}" });
    expect(templateFault('{"a": "{{name}}"}')).toBeUndefined();
    expect(templateFault('{"a": {{name}')).toMatch(/no JSON/);
  });
});

describe("a signature", () => {
  const body = webhookBody(notice, "json");
  const header = signature(body, { secret: SECRET, unixSeconds: 1_000 });

  it("is that of the body, the time and the secret", () => {
    expect(header).toMatch(/^t=1000,v1=[0-9a-f]{64}$/);
    expect(isSigned(body, header, { secret: SECRET, nowSeconds: 1_100 })).toBe(true);
  });

  it.each([
    ["another body", `${body} `, header, SECRET, 1_100],
    ["another secret", body, header, "another-secret", 1_100],
    ["another time", body, header.replace("t=1000", "t=1001"), SECRET, 1_100],
    ["an old message", body, header, SECRET, 2_000],
    ["no signature", body, "", SECRET, 1_100],
  ])("does not fit %s", (_, text, given, secret, nowSeconds) => {
    expect(isSigned(text, given, { secret, nowSeconds })).toBe(false);
  });
});

describe("a channel", () => {
  const log = createLog("silent");
  const webhook = Channels.parse([
    { type: "webhook", url: "https://hooks.example/services/T0/secret-path", secret: SECRET, format: "slack" },
  ])[0] as Channel;

  it("posts signed JSON once, follows no redirect", async () => {
    const sent: { url: string; init: RequestInit }[] = [];
    const fetch = (async (url: string, init: RequestInit) => {
      sent.push({ url, init });
      return new Response(null, { status: 204 });
    }) as unknown as typeof globalThis.fetch;
    await tell(webhook, notice, { log, sendMail: undefined, fetch, now: () => 5_000_000 });
    expect(sent).toHaveLength(1);
    const init = sent[0]?.init ?? {};
    const headers = init.headers as Record<string, string>;
    expect(isSigned(String(init.body), headers["x-genspan-signature"] ?? "", { secret: SECRET, nowSeconds: 5_000 })).toBe(true);
    expect(init.redirect).toBe("manual");
    expect(headers["x-genspan-event"]).toBe("e-1");
  });

  it.each([
    ["an error", async () => new Response("secret-path is wrong", { status: 500 }), "the webhook answered with status 500"],
    [
      "a redirect",
      async () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } }),
      "the webhook answered with status 302",
    ],
    [
      "nothing",
      async () => Promise.reject(new TypeError("connect ECONNREFUSED hooks.example/secret-path")),
      "the webhook cannot be reached",
    ],
  ])("that answers with %s fails without telling its address", async (_, answer, message) => {
    const fetch = answer as unknown as typeof globalThis.fetch;
    await expect(tell(webhook, notice, { log, sendMail: undefined, fetch })).rejects.toThrow(message);
  });

  it("is shown without the secrets in its address", () => {
    expect(JSON.stringify(shownChannel(webhook))).not.toMatch(/secret-path|shared-secret/);
    expect(shownChannel(webhook)).toMatchObject({ type: "webhook", signed: true });
  });

  it.each([
    [{ type: "webhook", url: "file:///etc/passwd" }],
    [{ type: "webhook", url: "https://x.example", format: "template" }],
    [{ type: "webhook", url: "https://x.example", format: "template", template: "{" }],
    [{ type: "webhook", url: "https://x.example", secret: "short" }],
    [{ type: "email", to: ["nobody"] }],
    [{ type: "pigeon" }],
  ])("is refused: %j", (channel) => {
    expect(Channels.safeParse([channel]).success).toBe(false);
  });

  it("for mail says so where no mail server is configured, and else hands over address, subject and text", async () => {
    const email = Channels.parse([{ type: "email", to: ["a@example.org"] }])[0] as Channel;
    await expect(tell(email, notice, { log, sendMail: undefined })).rejects.toThrow(/smtp_url/);
    const mails: unknown[] = [];
    await tell(email, notice, { log, sendMail: async (mail) => void mails.push(mail) });
    expect(mails).toMatchObject([{ to: ["a@example.org"], subject: expect.stringContaining("fires"), text: noticeText(notice) }]);
  });
});

describe("a condition", () => {
  it.each([
    ["below", 0.5, 0.5, false],
    ["below", 0.5, 0.4, true],
    ["at_most", 0.5, 0.5, true],
    ["above", 5, 5, false],
    ["at_least", 5, 5, true],
  ] as const)("%s %d for %d: %s", (compare, threshold, value, expected) => {
    expect(holds({ ...condition, compare, threshold }, value)).toBe(expected);
  });

  it("takes nothing measured for no zero, unless it says so", () => {
    expect(holds({ ...condition, compare: "below", threshold: 1 }, null)).toBe(false);
    expect(holds({ ...condition, no_data: "firing" }, null)).toBe(true);
  });

  it("refuses a filter that its metric does not have, or that brings windows of its own", () => {
    expect(() => filterOf({ metric: "run_failed", filter: "model=gpt-5" })).toThrow(/is no key/);
    expect(() => filterOf({ metric: "failures", filter: "from=-24h" })).toThrow(/windows of its own/);
    expect(conditionText({ ...condition, metric: "failures", filter: "" })).toBe("failures < 0.5 over 604800 s, 3 times in a row");
  });
});
