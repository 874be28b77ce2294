/**
 * A strict reader of markup, to see that what we write is well-formed.
 * @module
 */
import assert from "node:assert/strict";

export type Element = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
};

/** The one root of an XML text. Fails where a parser of XML would. */
export function parse(xml: string): Element {
  const top: Element = { name: "", attributes: new Map(), children: [], text: "" };
  const open: Element[] = [top];
  const tag = /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/y;
  let at = 0;
  while (at < xml.length) {
    const next = xml.indexOf("<", at);
    const inner = open[open.length - 1] as Element;
    inner.text += plain(xml.slice(at, next < 0 ? xml.length : next));
    if (next < 0) break;
    tag.lastIndex = next;
    const found = tag.exec(xml);
    assert.ok(found !== null, `no tag at ${xml.slice(next, next + 80)}`);
    at = tag.lastIndex;
    const [, isEnd, name = "", attributes = "", isEmpty] = found;
    if (isEnd === "/") {
      assert.equal(open.pop()?.name, name);
      continue;
    }
    const made: Element = { name, attributes: attributesOf(attributes), children: [], text: "" };
    inner.children.push(made);
    if (isEmpty !== "/") open.push(made);
  }
  assert.deepEqual(open, [top], "an element that is not closed");
  assert.equal(top.children.length, 1, "one root");
  return top.children[0] as Element;
}

/** All elements in order. */
export function all(root: Element): Element[] {
  return [root, ...root.children.flatMap(all)];
}

/** The elements with this class. */
export function byClass(root: Element, name: string): Element[] {
  return all(root).filter((e) => (e.attributes.get("class") ?? "").split(" ").includes(name));
}

/** Everything that is written in an element. */
export function textOf(element: Element): string {
  return element.text + element.children.map(textOf).join(" ");
}

function attributesOf(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z0-9:-]+)="([^"]*)"/g)];
  return new Map(pairs.map(([, name = "", value = ""]) => [name, plain(value)]));
}

function plain(text: string): string {
  assert.doesNotMatch(text, /&(?!(?:amp|lt|gt|quot);)/, "a bare ampersand");
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", "\"")
    .replaceAll("&amp;", "&");
}
