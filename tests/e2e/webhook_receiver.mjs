// A receiver of webhooks that trusts nothing but the `standardwebhooks` package: the same as webhook_receiver.py.
//
//   node webhook_receiver.mjs SECRET_FILE

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const STRANGER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

function verified(secret, headers, body) {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (why) {
    return why;
  }
}

// What is wrong with a message; nothing where it is as it must be.
function fault(secret, headers, body) {
  const message = verified(secret, headers, body);
  if (message instanceof Error) return `refused: ${message.message}`;
  if (message.id !== headers["webhook-id"]) return "another message";
  const time = Number(headers["webhook-timestamp"]);
  const altered = {
    body: [secret, headers, body.replace('"outcome"', '"outcame"')],
    "white space": [secret, headers, `${body} `],
    time: [secret, { ...headers, "webhook-timestamp": String(time - 1) }, body],
    "an old time": [secret, { ...headers, "webhook-timestamp": String(time - 361) }, body],
    identifier: [secret, { ...headers, "webhook-id": "aevt_01h2xcejqtf2nbrexx3vqjhp41" }, body],
    signature: [secret, { ...headers, "webhook-signature": "v1," }, body],
    secret: [STRANGER, headers, body],
  };
  const good = Object.keys(altered).find((what) => !(verified(...altered[what]) instanceof Error));
  return good && `another ${good} is good as well`;
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const secret = readFileSync(process.argv[2], "utf8");
    const wrong = fault(secret, request.headers, Buffer.concat(chunks).toString("utf8"));
    response.writeHead(wrong ? 400 : 204).end(wrong);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
