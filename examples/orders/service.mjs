// The bakery's order service: node examples/orders/service.mjs
import { createServer } from "node:http";

const booked = new Map(); // by idempotency key: a turn that is repeated gets the number that it got before
createServer(async (req, res) => {
  let body = "";
  for await (const chunk of req) body += chunk;
  const key = req.headers["idempotency-key"];
  if (!booked.has(key)) {
    booked.set(key, { number: `A-${1001 + booked.size}`, at: new Date(Date.now() + 3600e3).toTimeString().slice(0, 5) });
    console.log(booked.get(key).number, JSON.parse(body));
  }
  res.writeHead(201, { "Content-Type": "application/json" }).end(JSON.stringify(booked.get(key)));
}).listen(3000, "127.0.0.1", () => console.log("orders on http://127.0.0.1:3000"));
