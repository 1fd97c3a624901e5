// Draws messages. All that came from a user or a bot goes into text nodes: nothing of it is ever read as HTML.

/** Makes an element with a class, children and attributes. */
export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const marks = [["*", "strong"], ["_", "em"], ["~", "s"], ["```", "code"]];

/** Returns nodes for a text in WhatsApp's notation: *bold*, _italic_, ~struck~, ```code```. */
export function formatted(text) {
  for (const [mark, tag] of marks) {
    const from = text.indexOf(mark);
    const to = from < 0 ? -1 : text.indexOf(mark, from + mark.length);
    const inside = to < 0 ? "" : text.slice(from + mark.length, to);
    const apart = from === 0 || /[\s(*_~]/.test(text[from - 1] ?? "");
    if (to > 0 && apart && inside.trim() === inside && inside !== "") {
      const node = document.createElement(tag);
      node.append(...(tag === "code" ? [inside] : formatted(inside)));
      return [...formatted(text.slice(0, from)), node, ...formatted(text.slice(to + mark.length))];
    }
  }
  return text === "" ? [] : [text];
}

function paragraph(text, className) {
  return text ? element("p", className, ...formatted(text)) : null;
}

/** Draws the body of a reply, in the form that the Graph API takes; tap(option, list) is called for a pressed option. */
export function body(content, tap, openList) {
  const kind = content.type;
  switch (kind) {
    case "text":
      return [paragraph(content.text?.body)];
    case "interactive":
      return interactive(content.interactive ?? {}, tap, openList);
    case "image": case "video": case "audio": case "document": case "sticker":
      return media(kind, content[kind] ?? {});
    case "location":
      return [element("p", "card", `📍 ${content.location?.name ?? "Location"}`), paragraph(content.location?.address, "small"),
        element("p", "small", `${content.location?.latitude}, ${content.location?.longitude}`)];
    case "template":
      return [element("p", "card", `Template ${content.template?.name} (${content.template?.language?.code ?? ""})`)];
    case "reaction":
      return [element("p", "card", `reacts ${content.reaction?.emoji || "with nothing"}`)];
    default:
      return [element("p", "card", `A message of type ${kind}`)];
  }
}

function media(kind, file) {
  const icons = { image: "🖼", video: "🎬", audio: "🎵", document: "📄", sticker: "🙂" };
  let picture = null;
  if (kind === "image" && file.link?.startsWith("https://")) {
    picture = element("img", "");
    picture.src = file.link;
    picture.alt = file.caption ?? "";
    picture.referrerPolicy = "no-referrer";
  }
  return [picture ?? element("p", "card", `${icons[kind]} ${file.filename ?? kind}`), paragraph(file.caption)];
}

function interactive(message, tap, openList) {
  const parts = [
    paragraph(message.header?.text, "head"), paragraph(message.body?.text), paragraph(message.footer?.text, "small"),
  ];
  const action = message.action ?? {};
  const options = element("div", "options");
  for (const { reply } of action.buttons ?? []) {
    options.append(option(reply.title, () => tap({ id: reply.id, title: reply.title, list: false })));
  }
  if (action.sections) {
    options.append(option(`☰ ${action.button}`, () => openList(action)));
  }
  if (action.parameters?.url) {
    const link = element("a", "option", `↗ ${action.parameters.display_text}`);
    link.href = action.parameters.url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    if (/^https?:\/\//.test(action.parameters.url)) options.append(link);
  }
  if (message.type === "location_request_message") options.append(element("p", "small", "asks for a location"));
  if (options.childElementCount > 0) parts.push(options);
  return parts;
}

function option(title, press) {
  const button = element("button", "option", title);
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}
