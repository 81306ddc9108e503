import { createTransport } from "nodemailer";
import { errorCode } from "../base/error-code.ts";
import type { SendMail } from "./channels.ts";

export interface MailOptions {
  /** smtp://user:password@host:587, or smtps:// where the connection begins encrypted. */
  readonly smtpUrl: string;
  /** Address that mails come from. */
  readonly from: string;
}

const TIMEOUT_MS = 10_000;

/** Sends through an SMTP server; a server that offers STARTTLS is asked for it. */
export function createMailer({ smtpUrl, from }: MailOptions): SendMail {
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async ({ to, subject, text }) => {
    try {
      await transport.sendMail({ from, to: [...to], subject, text });
    } catch (error) {
      throw new Error(`the mail server did not take the message (${errorCode(error)})`);
    }
  };
}
