import { z } from "zod";
import type { Log } from "../base/log.ts";
import { type Notice, noticeText, signature, templateFault, webhookBody } from "./message.ts";

const MAX_TEMPLATE_CHARS = 10_000;
const MAX_CHANNELS = 10;

const Webhook = z
  .strictObject({
    type: z.literal("webhook"),
    url: z.url({ protocol: /^https?$/ }).max(2_000),
    /** Signs the body; without it the body is not signed. */
    secret: z.string().min(8).max(500).optional(),
    format: z.enum(["json", "slack", "template"]).default("json"),
    template: z.string().max(MAX_TEMPLATE_CHARS).optional(),
  })
  .superRefine(({ format, template }, context) => {
    const fault = format !== "template" ? undefined : template === undefined ? "template is missing" : templateFault(template);
    if (fault !== undefined) context.addIssue({ code: "custom", path: ["template"], message: fault });
  });
const Email = z.strictObject({ type: z.literal("email"), to: z.array(z.email().max(320)).min(1).max(20) });
const LogLine = z.strictObject({ type: z.literal("log") });

/** Where a rule's messages go. */
export const Channels = z.array(z.discriminatedUnion("type", [Webhook, Email, LogLine])).max(MAX_CHANNELS);
export type Channel = z.infer<typeof Channels>[number];

/** Sends one e-mail; rejects when the server does not take it. */
export type SendMail = (mail: { readonly to: readonly string[]; readonly subject: string; readonly text: string }) => Promise<void>;

export interface ChannelTools {
  readonly log: Log;
  /** Undefined where no mail server is configured. */
  readonly sendMail: SendMail | undefined;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

const TIMEOUT_MS = 10_000;

/** Tells one channel. Rejects with a sentence without addresses when it did not take the message. */
export async function tell(channel: Channel, notice: Notice, tools: ChannelTools): Promise<void> {
  switch (channel.type) {
    case "webhook":
      return post(channel, notice, tools);
    case "email": {
      if (tools.sendMail === undefined) throw new Error("no mail server is configured: set smtp_url on the extension web");
      const text = noticeText(notice);
      return tools.sendMail({ to: channel.to, subject: (text.split("\n")[0] ?? "").slice(0, 200), text });
    }
    case "log":
      tools.log.warn({ alert: notice.rule.id, event: notice.event, value: notice.value }, "alert");
  }
}

async function post(
  channel: Extract<Channel, { type: "webhook" }>,
  notice: Notice,
  { fetch: send = fetch, now = Date.now }: ChannelTools,
): Promise<void> {
  const body = webhookBody(notice, channel.format, channel.template);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "user-agent": "genspan",
    "x-genspan-event": notice.eventId,
  };
  if (channel.secret !== undefined)
    headers["x-genspan-signature"] = signature(body, { secret: channel.secret, unixSeconds: Math.floor(now() / 1_000) });
  let response: Response;
  try {
    // A redirect may lead where nobody meant to send.
    response = await send(channel.url, { method: "POST", headers, body, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Error(
      error instanceof Error && error.name === "TimeoutError" ? "the webhook did not answer in time" : "the webhook cannot be reached",
    );
  }
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the webhook answered with status ${response.status}`);
}

/** A channel as it may be shown: addresses of webhooks hold secrets in their paths. */
export function shownChannel(channel: Channel): Record<string, unknown> {
  if (channel.type !== "webhook") return channel;
  const { origin } = new URL(channel.url);
  return { type: channel.type, url: `${origin}/…`, format: channel.format, signed: channel.secret !== undefined };
}
