/**
 * A stand-in for the browser, in which the script of a status page runs.
 * @module
 */
import assert from "node:assert/strict";
import { createContext, runInContext } from "node:vm";

/** As much of a node as the script touches. */
class Node {
  own = "";
  className = "";
  hidden = false;
  readonly name: string;
  children: Node[] = [];
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, (event: object) => void>();
  drawn = 0;
  constructor(name: string, own = "") {
    this.name = name;
    this.own = own;
  }
  get textContent(): string {
    return this.own + this.children.map((child) => child.textContent).join("");
  }
  set textContent(text: string) {
    this.own = text;
    this.children = [];
  }
  append(...more: Node[]): void {
    this.children.push(...more);
  }
  replaceChildren(...others: Node[]): void {
    this.drawn += 1;
    this.children = others;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  addEventListener(name: string, listener: (event: object) => void): void {
    this.listeners.set(name, listener);
  }
  all(name: string): Node[] {
    const below = this.children.flatMap((child) => child.all(name));
    return this.name === name ? [this, ...below] : below;
  }
}

export type Browser = {
  readonly text: (id: string) => string;
  readonly node: (id: string) => Node;
  readonly page: Node & { readonly title: string; readonly body: Node };
  /** Lets the script poll once more. */
  readonly poll: () => Promise<void>;
};

/** What stands within the first element of this name. */
export function inner(html: string, tag: string): string {
  return new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? "";
}

/** Runs the page's script; `answers` stands for the server. */
export async function browse(
  html: string, answers: (path: string) => unknown,
): Promise<Browser> {
  const nodes = new Map<string, Node>();
  const node = (id: string): Node => {
    assert.ok(html.includes(`id="${id}"`), `no element ${id}`);
    const found = nodes.get(id) ?? new Node(id);
    nodes.set(id, found);
    return found;
  };
  let again: (() => Promise<void>) | undefined;
  const page = Object.assign(new Node("document"), {
    getElementById: node, createElement: (name: string) => new Node(name),
    createElementNS: (_: string, name: string) => new Node(name),
    createTextNode: (text: string) => new Node("#text", text), title: "", body: new Node("body"),
  });
  const context = createContext({
    document: page, AbortSignal: { timeout: () => undefined },
    fetch: async (path: string) => ({ json: async () => answers(path) }),
    setTimeout: (next: () => Promise<void>) => (again = next), Intl,
  });
  runInContext(inner(html, "script"), context);
  await settle();
  return {
    text: (id) => node(id).textContent, node, page,
    poll: async () => {
      await again?.();
      await settle();
    },
  };
}

/** Lets promises that are ready run: the stand-ins never wait for anything else. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
