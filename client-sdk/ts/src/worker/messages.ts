/** What passes between a page, its worker, and the workers of other tabs. */

export interface Call {
  id: number;
  method: string;
  args: unknown;
}

/** The plain form of a Refusal, which does not survive being cloned. */
export interface PlainRefusal {
  code: string;
  plain: string;
  detail: string;
}

export interface Answer {
  id: number;
  value?: unknown;
  refusal?: PlainRefusal;
}

export interface Event {
  event: string;
  value: unknown;
}

export type FromWorker = Answer | Event;
