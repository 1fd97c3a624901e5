// WhatsApp's notation of texts: *bold*, _italic_, ~struck~, `code`, ```block```; and links.
import { element } from "./dom.js";

// A mark stands at the edge of a word and hugs what it marks, within one line.
const token = new RegExp([
  "```(?<block>[\\s\\S]+?)```",
  "`(?<code>[^`\\n]+)`",
  "(?<link>https?:\\/\\/[^\\s<>\"]*[^\\s<>\".,;:!?)\\]'*_~])",
  "(?<![\\p{L}\\p{N}])(?<mark>[*_~])(?<inside>\\S|\\S[^\\n]*?\\S)\\k<mark>(?![\\p{L}\\p{N}])",
].join("|"), "gu");

const tags = { "*": "strong", _: "em", "~": "s" };

/** Returns the nodes of a text. */
export function formatted(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    const { block, code, link, mark, inside } = match.groups;
    nodes.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    if (link) nodes.push(anchor(link, "", link));
    else if (mark) nodes.push(element(tags[mark], "", ...formatted(inside)));
    else nodes.push(element("code", block ? "block" : "", block ?? code));
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

/** Makes a link that opens beside the page; without an address of the web it is only a text. */
export function anchor(address, className, ...children) {
  if (!/^https?:\/\//i.test(address)) return element("span", className, ...children);
  const link = element("a", className, ...children);
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

/** Makes a paragraph; null where there is no text. */
export function paragraph(text, className = "") {
  return text ? element("p", className, ...formatted(String(text))) : null;
}

/** Returns a text without its marks, for places that show a line of it. */
export function plain(text) {
  return formatted(text).map((node) => node.textContent ?? node).join("");
}
