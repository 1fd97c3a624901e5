// A bot that stores each photo it gets, in plain Node.js (18 or later), without dependencies: BOT_SECRET=... node bot.mjs
//
// docs/media.md describes links to files, docs/bots.md all else that goes over the wire.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const secret = process.env.BOT_SECRET;
const folder = process.env.PHOTOS ?? "photos";
if (!secret) {
  console.error("bot: set BOT_SECRET to the secret of the bot in wactor.yaml");
  process.exit(1);
}

// turn stores the photos of a turn, and sends the first one back.
async function turn({ messages }) {
  const photos = messages.filter((message) => message.type === "image");
  if (photos.length === 0) return { replies: [{ text: "Send me a photo." }] };
  const stored = await Promise.all(photos.map((message) => store(message.media)));
  const { data, mimeType, name } = stored[0];
  return { replies: [
    { text: `Stored ${stored.map((photo) => photo.name).join(", ")}.` },
    { media: { type: "image", data: data.toString("base64"), mimeType, caption: `Your ${name}` } },
  ] };
}

// store reads a file by its link, which needs no token, and names it by its content: a turn that is repeated stores it once. A link
// that is read in whole is compared with its hash by Wactor; a fetch that fails makes the turn fail, and Wactor tries it again.
async function store(media) {
  const response = await fetch(media.url);
  if (!response.ok) throw new Error(`http ${response.status}`);
  const data = Buffer.from(await response.arrayBuffer());
  const name = `${createHash("sha256").update(data).digest("hex").slice(0, 16)}.jpg`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `.${name}`), data);
  await rename(join(folder, `.${name}`), join(folder, name)); // a crash leaves no half of a photo
  return { data, name, mimeType: response.headers.get("content-type") };
}

// signed reports whether Wactor made the header for these bytes, within five minutes of now.
function signed(header, body) {
  const parts = header.split(",").map((part) => part.trim().split("=", 2));
  const times = parts.filter(([key]) => key === "t").map(([, value]) => value);
  if (times.length !== 1 || !/^\d{1,12}$/.test(times[0])) return false;
  if (Math.abs(Date.now() / 1000 - Number(times[0])) > 300) return false;
  const want = createHmac("sha256", secret).update(`${times[0]}.`).update(body).digest();
  return parts.some(([key, value]) => {
    const got = Buffer.from(value ?? "", "hex");
    return key === "v1" && got.length === want.length && timingSafeEqual(got, want);
  });
}

const server = createServer(async (request, response) => {
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (!signed(request.headers["wactor-signature"] ?? "", body)) return response.writeHead(401).end();
    const answer = await turn(JSON.parse(body));
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  } catch (error) {
    console.error("bot: turn failed:", error.name); // not the message: it may quote a user
    if (!response.headersSent) response.writeHead(500).end(); // Wactor tries again
  }
});
server.keepAliveTimeout = 120_000; // longer than Wactor keeps idle connections, 90 s
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/turn`);
});
