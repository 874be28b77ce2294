/**
 * What a target's answer means for the letter.
 *
 * Rule 1: 2xx is delivery. 429, 408, 425 and 5xx are worth another attempt; 401 and 403 too, once,
 * with credentials that are read again. Any other status is about the letter or the target's
 * configuration, and asking again changes neither.
 * Rule 2: a wait that the target asks for is taken from `Retry-After` in seconds, or from
 * Telegram's body; a date there is passed over.
 * Rule 3: what reached nobody says nothing of the letter and is no attempt: only age ends it.
 * Whatever may have reached the target counts, so that the copies of one letter are bounded.
 * @module
 */
import { unreachable } from "../assert.ts";
import { integer, isFields, parseObject } from "../joinmarket/json.ts";
import type { RequestFailure } from "../kernel/io.ts";

export type Outcome =
  | { readonly type: "sent" }
  /** `waitMs`: as the target asks, 0 if it does not. `counts`: it may have been delivered. */
  | {
    readonly type: "later"; readonly waitMs: number; readonly counts: boolean;
    readonly why: string;
  }
  /** The credentials may be old. */
  | { readonly type: "denied"; readonly why: string }
  | { readonly type: "rejected"; readonly why: string };

/** The longest wait that is read, in seconds. */
const secondsMax = 999_999;
/** Of an answer that is looked at, in UTF-16 units. */
const replyMax = 4_096;

/** The outcome of an answer. `retryAfter` is the header of that name. */
export function judge(status: number, body: string, retryAfter: string | undefined): Outcome {
  if (status >= 200 && status <= 299) return { type: "sent" };
  const why = `http-${status}`;
  if (status === 401 || status === 403) return { type: "denied", why };
  const isBusy = status === 429 || status === 408 || status === 425;
  if (!isBusy && (status < 500 || status > 599)) return { type: "rejected", why };
  const waitMs = (inHeader(retryAfter) ?? inBody(body) ?? 0) * 1_000;
  return { type: "later", waitMs, counts: true, why };
}

/** The outcome of a request without an answer. */
export function judgeFailure(reason: RequestFailure): Outcome {
  switch (reason) {
    case "refused": case "unreachable": case "denied":
      return { type: "later", waitMs: 0, counts: false, why: reason };
    case "timeout": case "reset": case "too-large": case "malformed":
      return { type: "later", waitMs: 0, counts: true, why: reason };
    default: return unreachable(reason); /* c8 ignore next */
  }
}

function inHeader(value: string | undefined): number | undefined {
  if (value === undefined || !/^[0-9]{1,9}$/.test(value)) return undefined;
  return bounded(Number(value));
}

/** `{"ok":false,"error_code":429,"parameters":{"retry_after":35}}` */
function inBody(body: string): number | undefined {
  if (body.length > replyMax) return undefined;
  const parsed = parseObject(body);
  if (!parsed.ok) return undefined;
  const parameters = parsed.value.fields.get("parameters");
  if (!isFields(parameters)) return undefined;
  const seconds = integer(parameters.fields.get("retry_after"));
  return seconds === undefined || seconds < 0 ? undefined : bounded(seconds);
}

function bounded(seconds: number): number {
  return seconds < secondsMax ? seconds : secondsMax;
}
