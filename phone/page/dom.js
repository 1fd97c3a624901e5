// Small words for the document. Nothing here, and nothing of the page, ever reads a text as HTML.

/** Returns the element with an id. */
export const $ = (id) => document.getElementById(id);

/** Makes an element with a class and children; null and undefined are left out. */
export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Makes a button that does something when it is pressed. */
export function button(className, press, ...children) {
  const node = element("button", className, ...children);
  node.type = "button";
  node.addEventListener("click", press);
  return node;
}

/** Makes an icon of the sprite in phone.html. */
export function icon(name, className = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", `icon ${className}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Makes the round sign of a person: an initial on a colour that stays the person's. */
export function avatar(user, name) {
  const hue = [...user].reduce((sum, digit) => sum * 7 + digit.charCodeAt(0), 0) % 6;
  const node = element("span", `avatar hue${hue}`, ([...(name || "?")][0] ?? "?").toUpperCase());
  node.setAttribute("aria-hidden", "true");
  return node;
}

/** Says a time of day. */
export const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Shortens a text to a line. */
export function snippet(text, length = 60) {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
