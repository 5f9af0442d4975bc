/**
 * Splices of one text that two sides change at once, a page and its worker. Each
 * is a list of single insertions and deletions while it is moved past another, so
 * that nobody's words fall into what somebody else deleted. Positions are code
 * points.
 */
import type { Splice } from "./types";

/** How many code points a string has. */
export function points(s: string): number {
  let n = 0;
  for (let i = 0; i < s.length; i++) {
    if (isHigh(s, i) && isLow(s, i + 1)) i++;
    n++;
  }
  return n;
}

/** The text after a splice. */
export function apply(text: string, s: Splice): string {
  const from = unit(text, 0, s.pos);
  return text.slice(0, from) + s.ins + text.slice(unit(text, from, s.del));
}

/** What makes one text of another: a single splice, or undefined if they are equal. */
export function between(before: string, after: string): Splice | undefined {
  if (before === after) return undefined;
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  if (splitsPair(before, head) || splitsPair(after, head)) head--;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  if (tail > 0 && (splitsPair(before, before.length - tail) || splitsPair(after, after.length - tail))) tail--;
  return {
    pos: points(before.slice(0, head)),
    del: points(before.slice(head, before.length - tail)),
    ins: after.slice(head, after.length - tail),
  };
}

/**
 * Two lists of splices that were made of the same text: what is left to do of
 * each once the other was done. Where both insert at one place, the first's come
 * first.
 */
export function cross(first: Splice[], second: Splice[]): [Splice[], Splice[]] {
  if (first.length === 0 || second.length === 0) return [first, second];
  const [a, b] = crossSteps(first.flatMap(steps), second.flatMap(steps));
  return [a.map(splice), b.map(splice)];
}

/** Where a place of a text is after splices of it: behind what was inserted there. */
export function moved(at: number, splices: Splice[]): number {
  for (const s of splices) {
    if (s.pos > at) continue;
    at = at >= s.pos + s.del ? at - s.del + points(s.ins) : s.pos;
  }
  return at;
}

/** One insertion, or one deletion of n code points. */
type Step = { pos: number; ins: string; n: number } | { pos: number; ins?: undefined; n: number };

function steps(s: Splice): Step[] {
  const out: Step[] = [];
  if (s.del > 0) out.push({ pos: s.pos, n: s.del });
  if (s.ins !== "") out.push({ pos: s.pos, ins: s.ins, n: points(s.ins) });
  return out;
}

function splice(s: Step): Splice {
  return s.ins === undefined ? { pos: s.pos, del: s.n, ins: "" } : { pos: s.pos, del: 0, ins: s.ins };
}

/** Crosses two lists, each in the order in which it is done. */
function crossSteps(first: Step[], second: Step[]): [Step[], Step[]] {
  const out: Step[] = [];
  let against = second;
  for (const one of first) {
    const [left, rest] = crossOne(one, against);
    out.push(...left);
    against = rest;
  }
  return [out, against];
}

/** Crosses one step with a list. */
function crossOne(one: Step, against: Step[]): [Step[], Step[]] {
  let left: Step[] = [one];
  const rest: Step[] = [];
  for (const other of against) {
    const [l, o] = left.length === 1 ? pair(left[0]!, other) : crossSteps(left, [other]);
    left = l;
    rest.push(...o);
  }
  return [left, rest];
}

/** Crosses two steps that were made of the same text. */
function pair(a: Step, b: Step): [Step[], Step[]] {
  if (a.ins !== undefined && b.ins !== undefined) {
    return a.pos <= b.pos ? [[a], [{ ...b, pos: b.pos + a.n }]] : [[{ ...a, pos: a.pos + b.n }], [b]];
  }
  if (a.ins !== undefined) return insertAndDelete(a, b);
  if (b.ins !== undefined) {
    const [i, d] = insertAndDelete(b, a);
    return [d, i];
  }
  return [deleted(a, b), deleted(b, a)];
}

function insertAndDelete(ins: Step, del: Step): [Step[], Step[]] {
  if (ins.pos <= del.pos) return [[ins], [{ ...del, pos: del.pos + ins.n }]];
  if (ins.pos >= del.pos + del.n) return [[{ ...ins, pos: ins.pos - del.n }], [del]];
  const before = ins.pos - del.pos;
  return [
    [{ ...ins, pos: del.pos }],
    [{ pos: del.pos, n: before }, { pos: del.pos + ins.n, n: del.n - before }],
  ];
}

/** What is left of a deletion after another. */
function deleted(a: Step, by: Step): Step[] {
  const end = a.pos + a.n, byEnd = by.pos + by.n;
  const common = Math.max(0, Math.min(end, byEnd) - Math.max(a.pos, by.pos));
  if (a.n === common) return [];
  const pos = a.pos <= by.pos ? a.pos : Math.max(by.pos, a.pos - by.n);
  return [{ pos, n: a.n - common }];
}

/** The UTF-16 offset of n code points after from. */
function unit(s: string, from: number, n: number): number {
  let at = from;
  for (; n > 0 && at < s.length; n--) at += isHigh(s, at) && isLow(s, at + 1) ? 2 : 1;
  return at;
}

function splitsPair(s: string, at: number): boolean {
  return at > 0 && isHigh(s, at - 1) && isLow(s, at);
}

function isHigh(s: string, at: number): boolean {
  const c = s.charCodeAt(at);
  return c >= 0xd800 && c < 0xdc00;
}

function isLow(s: string, at: number): boolean {
  const c = s.charCodeAt(at);
  return c >= 0xdc00 && c < 0xe000;
}
