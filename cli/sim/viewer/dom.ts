/**
 * Making elements.
 *
 * Rule 1: texts become text nodes, never markup; markup is made in `sim/picture`, which escapes.
 * @module
 */

type Props = { readonly [name: string]: string | number | boolean | undefined };

/** An element with attributes and children. `undefined` and `false` leave an attribute out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K, props: Props = {}, ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** A button that does something. */
export function button(
  text: string, label: string | undefined, act: () => void, props: Props = {},
): HTMLButtonElement {
  const made = el("button", { type: "button", "aria-label": label, title: label, ...props }, text);
  made.addEventListener("click", act);
  return made;
}

/** Replaces what an SVG element holds by trusted markup. */
export function fill(svg: SVGSVGElement, markup: string): void {
  svg.innerHTML = markup;
}

/** An empty SVG element of this size and class. */
export function svgElement(className: string): SVGSVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", className);
  return made;
}

/** Does this person want no motion? */
export function isStill(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
