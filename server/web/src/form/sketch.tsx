import { newID, type Op, type View } from "@doorstep/client";
import { createContext, type ComponentChildren } from "preact";
import { useContext, useRef, useState } from "preact/hooks";
import { useDesk, useLoaded } from "../hooks";
import { plain } from "../parts/basic";
import { t, timeWords } from "../words/words";

/** A record with what its forms said when they were last being filled in. */
interface Begun {
  view: View;
  said: Map<string, Op[]>;
}

const BegunContext = createContext<Begun | null>(null);

/** What stands around the forms of one record: shown once what they said before is known. */
export function Sketches(props: { view: View; children: ComponentChildren }) {
  const { client } = useDesk();
  const { record } = props.view;
  const [said] = useLoaded(() => client.sketches(record).then((list) => new Map(list.map((s): [string, Op[]] => [s.name, s.ops]))), [client, record]);
  return said ? <BegunContext.Provider value={{ view: props.view, said }}>{props.children}</BegunContext.Provider> : null;
}

/** One form's way to the disk, before what it says is a change. */
export interface SketchOf {
  /** What it said when the page was last here; undefined: it was not begun. */
  said: Op[] | undefined;
  /** Whether what was written last is on the disk, in words. */
  state: string;
  /** Keeps what it says, with each keystroke. */
  write(ops: Op[]): void;
  /** Makes it a change. */
  keep(ops: Op[]): Promise<void>;
  /** Lets go of what it said. */
  drop(): Promise<void>;
}

/** The fields of which something was said that is not kept yet. */
export function useBegunFields(): Set<string> {
  const begun = useContext(BegunContext);
  const ops = [...(begun?.said.values() ?? [])].flat();
  return new Set(ops.flatMap((op) => "path" in op && op.path ? [op.path.field] : []));
}

/** A form of the record around it; its name tells it from the others there. */
export function useSketch(name: string): SketchOf {
  const { client } = useDesk();
  const begun = useContext(BegunContext);
  if (!begun) throw new Error("bug: a form outside its record");
  const { view, said } = begun;
  const [state, setState] = useState("");
  const turn = useRef(0);
  const ended = () => {
    said.delete(name);
    turn.current++;
    setState("");
  };
  return {
    said: said.get(name), state,
    write(ops) {
      said.set(name, ops);
      const mine = ++turn.current, show = (words: string) => { if (mine === turn.current) setState(words); };
      setState(t("record.saving"));
      client.sketch({ name, record: view.record, family: view.family, kind: view.kind, ops }).then(
        () => show(t("record.saved", { time: timeWords(Date.now()) })), (e: unknown) => show(t("record.notsaved", { why: plain(e) })));
    },
    async keep(ops) {
      await client.edit({ record: view.record, family: view.family, kind: view.kind, ops, sketch: name }); // it may be the first
      ended();
    },
    async drop() {
      await client.dropSketch(view.record, name);
      ended();
    },
  };
}

/** A text that becomes a step of its own once it is given: what it says meanwhile. */
export function useSketchedText(name: string, opOf: (text: string) => Op): { text: string; write(text: string): void; give(): Promise<void>; state: string } {
  const sketch = useSketch(name);
  const [text, setText] = useState(() => textIn(sketch.said));
  return {
    text, state: sketch.state,
    write(now) {
      setText(now);
      if (now.trim() === "") void sketch.drop();
      else sketch.write([opOf(now.trim())]);
    },
    async give() {
      await sketch.keep([opOf(text.trim())]);
      setText("");
    },
  };
}

function textIn(said: Op[] | undefined): string {
  const op = said?.[0];
  return op && "text" in op ? op.text : op && "reason" in op ? op.reason ?? "" : "";
}

/** The element and the parts that a form's first step was about. */
export function partsIn(said: Op[] | undefined): { element: string; value: { [part: string]: unknown } } | undefined {
  const op = said?.[0];
  if (!op || !("path" in op) || !op.path || !("value" in op)) return undefined;
  return { element: op.path.element ?? newID(), value: op.value as { [part: string]: unknown } };
}
