// A bot that thinks for three seconds, as an LLM does, in plain Node.js (18 or later): node bot.mjs
//
// It answers once for all messages of a turn. When Wactor interrupts a turn because the user went on writing, it closes the
// request; the bot notices and stops thinking, so that no token is paid for an answer that nobody will read.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

async function answer({ messages, state }, signal) {
  await sleep(3000, undefined, { signal }); // here the model would be asked, with the same signal
  const turns = (state.turns ?? 0) + 1;
  return { state: { turns }, replies: [{ text: `You said: ${messages.map((m) => m.text).join(" | ")}` }] };
}

createServer(async (request, response) => {
  const closed = new AbortController();
  response.on("close", () => closed.abort());
  try {
    let body = "";
    for await (const part of request) body += part;
    const result = await answer(JSON.parse(body), closed.signal);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(result));
  } catch (error) {
    if (error.name === "AbortError") return console.log("interrupted: the user went on writing");
    response.statusCode = 500;
    response.end();
  }
}).listen(3000, "127.0.0.1", () => console.log("thinking on http://127.0.0.1:3000"));
