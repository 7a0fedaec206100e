// Usage: node byte-counting-proxy.mjs PORT
// Forwards TCP connections to PORT on loopback and counts their bytes. Prints the port it listens on.
// Then, for each line on stdin, prints the bytes sent to PORT and received from it since the previous line.
import { createServer, connect } from "node:net";
import { createInterface } from "node:readline";

let sent = 0;
let received = 0;
const proxy = createServer((client) => {
  const server = connect(Number(process.argv[2]), "127.0.0.1");
  client.on("data", (bytes) => (sent += bytes.length)).pipe(server);
  server.on("data", (bytes) => (received += bytes.length)).pipe(client);
  // When one side breaks, so does the other. The client reports it.
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
});
proxy.listen(0, "127.0.0.1", () => console.log(proxy.address().port));
createInterface({ input: process.stdin })
  .on("line", () => {
    console.log(`${sent} ${received}`);
    sent = received = 0;
  })
  .on("close", () => process.exit());
