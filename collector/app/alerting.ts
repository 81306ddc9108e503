import type { Sql } from "../../schema/connect.ts";
import { createMailer } from "../alerts/mail.ts";
import type { Services } from "../api/services.ts";
import type { Log } from "../base/log.ts";
import type { Config } from "../config/index.ts";
import { alertOptions } from "../config/questions.ts";
import { createAlertJob } from "../jobs/alerts.ts";
import type { Reader } from "../query/reader.ts";

export interface AlertingInput {
  readonly config: Config;
  /** Where the pages are, unless the configuration says otherwise. */
  readonly webUrl: string | undefined;
  /** Connects as the owner of the tables. */
  readonly sql: Sql;
  readonly schema: string;
  readonly reader: Reader;
  /** Unique per collector. */
  readonly holder: string;
  readonly log: Log;
  readonly started: AsyncDisposableStack;
}

/** Watches the alert rules; gives what their messages are told by. */
export function startAlerting({ config, webUrl, log, started, ...input }: AlertingInput): Services["alerting"] {
  const { publicUrl = webUrl, smtpUrl, emailFrom } = alertOptions(config);
  const alerting = { log, publicUrl, sendMail: smtpUrl === undefined ? undefined : createMailer({ smtpUrl, from: emailFrom }) };
  const job = createAlertJob({ ...input, ...alerting });
  job.start();
  started.defer(() => job.stop());
  return alerting;
}
