// Usage: node byte-counting-proxy.mjs PORT
// Relays connections to PORT of this machine and counts their bytes, as they are on the wire. Prints the port that it
// listens on; then, for each line that it reads, the bytes sent to PORT and those sent back since the line before.
import { createServer, connect } from "node:net";
import { createInterface } from "node:readline";

let sent = 0;
let received = 0;
const relay = createServer((client) => {
  const server = connect(Number(process.argv[2]), "127.0.0.1");
  client.on("data", (bytes) => (sent += bytes.length)).pipe(server);
  server.on("data", (bytes) => (received += bytes.length)).pipe(client);
  // One end that broke has broken the other; who uses the connection tells.
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
});
relay.listen(0, "127.0.0.1", () => console.log(relay.address().port));
createInterface({ input: process.stdin })
  .on("line", () => {
    console.log(`${sent} ${received}`);
    sent = received = 0;
  })
  .on("close", () => process.exit());
