import { createMailer } from "../alerts/mail.ts";
import type { Services } from "../api/services.ts";
import { alertOptions } from "../config/questions.ts";
import type { Context } from "./context.ts";

/** What messages of alerts are told by; `webUrl` is where the pages are, unless the configuration says otherwise. */
export function alertingOf({ options, log }: Context, webUrl: string | undefined): Services["alerting"] {
  const { publicUrl = webUrl, smtpUrl, emailFrom } = alertOptions(options.config);
  return { log, publicUrl, sendMail: smtpUrl === undefined ? undefined : createMailer({ smtpUrl, from: emailFrom }) };
}
