/** DOM without markup: text goes in as text, whatever it holds. */

export type Child = Node | string | null;

type Attributes = Readonly<Record<string, string | number | boolean | null>>;

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.filter((child) => child !== null));
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null,
): void {
  if (value === null || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

export function createSvg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(element, attributes, children);
  return element;
}

/** Leaves the node alone when nothing is new: a selection, a screen reader and a focus stay. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** @throws Error when the page's markup and its script do not belong together */
export function find<T extends Element>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${id}`);
}

/** Keeps one element per name, in order; what is gone goes. */
export class Keyed<T extends { readonly root: Element }> {
  readonly #parent: Element;
  readonly #make: (name: string) => T;
  readonly #items = new Map<string, T>();

  constructor(parent: Element, make: (name: string) => T) {
    this.#parent = parent;
    this.#make = make;
  }

  show(names: readonly string[]): T[] {
    for (const [name, item] of this.#items) {
      if (names.includes(name)) continue;
      item.root.remove();
      this.#items.delete(name);
    }
    return names.map((name, at) => {
      const item = this.#items.get(name) ?? this.#make(name);
      this.#items.set(name, item);
      if (this.#parent.children[at] !== item.root) {
        this.#parent.insertBefore(item.root, this.#parent.children[at] ?? null);
      }
      return item;
    });
  }
}
