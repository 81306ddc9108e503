import { createHmac, timingSafeEqual } from "node:crypto";
import { type Condition, conditionText, currencyOfCondition } from "./condition.ts";

/** What is told of a rule. */
export interface Notice {
  readonly event: "firing" | "resolved" | "test";
  readonly eventId: string;
  readonly rule: { readonly id: string; readonly name: string; readonly condition: Condition };
  readonly project: string;
  readonly value: number | null;
  readonly startedAt: string;
  readonly resolvedAt: string | null;
  /** A page that shows what it is about; undefined where the collector does not know its own address. */
  readonly link: string | undefined;
  /** Currencies of which there were amounts that the value leaves out. */
  readonly leftOut?: readonly string[] | undefined;
}

const SIGNS = { firing: "🔴", resolved: "🟢", test: "🔔" } as const;

/** One line for people, and the link in a second one. */
export function noticeText({ event, rule, project, value, link, leftOut = [] }: Notice): string {
  const currency = currencyOfCondition(rule.condition);
  const unit = currency === undefined ? "" : ` ${currency}`;
  const without = leftOut.length === 0 ? "" : `, without costs in ${leftOut.join(", ")}`;
  const measured = value === null ? "nothing measured" : `measured ${Number(value.toFixed(4))}${unit}${without}`;
  const words = event === "resolved" ? "is over" : event === "test" ? "is being tried out" : "fires";
  return `${SIGNS[event]} ${rule.name.trim().replace(/\s+/g, " ")} ${words} (${project}): ${conditionText(rule.condition)}; ${measured}${link === undefined ? "" : `\n${link}`}`;
}

/** The body that a program reads. */
export const noticeJson = (notice: Notice): object => ({
  event: notice.event,
  event_id: notice.eventId,
  rule: { id: notice.rule.id, name: notice.rule.name, condition: notice.rule.condition, text: conditionText(notice.rule.condition) },
  project: notice.project,
  value: notice.value,
  currency: currencyOfCondition(notice.rule.condition) ?? null,
  left_out_currencies: notice.leftOut ?? [],
  threshold: notice.rule.condition.threshold,
  started_at: notice.startedAt,
  resolved_at: notice.resolvedAt,
  link: notice.link ?? null,
});

export type BodyFormat = "json" | "slack" | "template";

/** The body of a webhook. A template is JSON in which `{{name}}`, `{{value}}`, `{{text}}` and the like stand inside of strings. */
export function webhookBody(notice: Notice, format: BodyFormat, template = ""): string {
  if (format === "json") return JSON.stringify(noticeJson(notice));
  // Slack takes <, > and & for marks of its own.
  const plain = noticeText(notice).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  if (format === "slack") return JSON.stringify({ text: plain });
  const words: Readonly<Record<string, string>> = {
    event: notice.event,
    name: notice.rule.name,
    project: notice.project,
    metric: notice.rule.condition.metric,
    condition: conditionText(notice.rule.condition),
    value: notice.value === null ? "" : String(notice.value),
    threshold: String(notice.rule.condition.threshold),
    started_at: notice.startedAt,
    resolved_at: notice.resolvedAt ?? "",
    link: notice.link ?? "",
    text: noticeText(notice),
  };
  return template.replace(/\{\{(\w+)\}\}/g, (whole, word: string) =>
    Object.hasOwn(words, word) ? JSON.stringify(words[word]).slice(1, -1) : whole,
  );
}

/** What is wrong with a template, or undefined: filled in, it must be JSON. */
export function templateFault(template: string): string | undefined {
  try {
    JSON.parse(template.replace(/\{\{\w+\}\}/g, "x"));
    return undefined;
  } catch {
    return "template is no JSON when its {{words}} are filled in";
  }
}

const TOLERANCE_SECONDS = 300;

/** The header X-Genspan-Signature: `t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>" in hexadecimal>`. */
export const signature = (body: string, { secret, unixSeconds }: { readonly secret: string; readonly unixSeconds: number }): string =>
  `t=${unixSeconds},v1=${createHmac("sha256", secret).update(`${unixSeconds}.${body}`).digest("hex")}`;

/** What a receiver does: true for a body that was signed with the secret within five minutes. */
export function isSigned(
  body: string,
  header: string,
  { secret, nowSeconds }: { readonly secret: string; readonly nowSeconds: number },
): boolean {
  const time = Number(/(?:^|,)t=(\d+)/.exec(header)?.[1]);
  if (!Number.isFinite(time) || Math.abs(nowSeconds - time) > TOLERANCE_SECONDS) return false;
  const expected = Buffer.from(signature(body, { secret, unixSeconds: time }));
  return expected.length === header.length && timingSafeEqual(expected, Buffer.from(header));
}
