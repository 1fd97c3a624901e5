// The counter as an HTTP bot in plain Node.js (18 or later), without dependencies: BOT_SECRET=... node bot.mjs
//
// docs/bots.md describes what goes over the wire.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.BOT_SECRET;
if (!secret) {
  console.error("bot: set BOT_SECRET to the secret of bots.counter.http in wactor.yaml");
  process.exit(1);
}

// turn answers one turn: the old state in, the new state and the replies out. It is all that a bot of your own replaces.
async function turn({ state, messages }) {
  let n = state.n ?? 0;
  const replies = messages.map((message) => ({ text: `step ${++n}: ${message.text}` }));
  return { state: { n }, replies };
}

// answers by Idempotency-Key. A turn is sent again when its answer got lost, and also when it took longer than the timeout: then
// the first run may still be under way, and the second must wait for it instead of running beside it. A bot whose work reaches
// beyond its answer (a booking, a payment) keeps this in its database, in the transaction that does the work.
const answers = new Map();
const remembered = 10_000;

function once(key, work) {
  let answer = answers.get(key);
  if (!answer) {
    answer = work();
    answer.catch(() => answers.delete(key)); // what failed may be tried again
    answers.set(key, answer);
    if (answers.size > remembered) answers.delete(answers.keys().next().value);
  }
  return answer;
}

// signed reports whether Wactor made the header for these bytes, within five minutes of now. The bytes must be those received: JSON
// that was parsed and written again is another text.
function signed(header, body, secret) {
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

const maxBody = 16 << 20; // a state of 256 KiB, and messages with their raw JSON

async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function handle(request, response) {
  if (request.method !== "POST" || request.url !== "/turn") return response.writeHead(404).end();
  const body = await read(request);
  if (body === null) return response.writeHead(413, { Connection: "close" }).end();
  if (!signed(request.headers["wactor-signature"] ?? "", body, secret)) return response.writeHead(401).end();
  const answer = await once(request.headers["idempotency-key"], () => turn(JSON.parse(body)));
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error("bot: turn failed:", error.name); // not the message: it may quote a user
    if (!response.headersSent) response.writeHead(500).end(); // Wactor tries again
  });
});
server.keepAliveTimeout = 120_000; // longer than Wactor keeps idle connections, 90 s
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/turn`);
});
